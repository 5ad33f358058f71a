"""The cryptography that second_reader.py needs and Python's standard library lacks: ChaCha20 and Ed25519, as the RFCs
give them, and ECDSA on P-256. Slow, and not safe against those who measure time: only for checking, where nothing is secret.
"""
import hashlib
import struct


# modelseal-seal(5), "Keyed numbers". Sixteen blocks are made at once: word i of all of them is one long number, in
# lanes of 64 bits.
LANES = range(16)
ONES = sum(1 << 64 * lane for lane in LANES)
WORDS = 0xFFFFFFFF * ONES


class Stream:
    def __init__(self, key, nonce):
        self.start = struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key)
        self.nonce = (nonce & 0xFFFFFFFF, nonce >> 32)
        self.counter = 0
        self.ready = b""

    def blocks(self):
        counters = sum((self.counter + lane) << 64 * lane for lane in LANES)
        self.counter += len(LANES)
        start = [word * ONES for word in self.start]
        start += [counters & WORDS, counters >> 32 & WORDS] + [word * ONES for word in self.nonce]
        x = list(start)
        for _ in range(10):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                for p, q, r, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    x[p] = (x[p] + x[q]) & WORDS
                    v = x[r] ^ x[p]
                    x[r] = (v << turn | v >> (32 - turn)) & WORDS
        words = [(u + v & WORDS).to_bytes(8 * len(LANES), "little") for u, v in zip(x, start)]
        return b"".join(word[8 * lane:8 * lane + 4] for lane in LANES for word in words)

    def bytes(self, count):
        while len(self.ready) < count:
            self.ready += self.blocks()
        taken, self.ready = self.ready[:count], self.ready[count:]
        return taken

    def below(self, n):
        while True:
            v = struct.unpack("<Q", self.bytes(8))[0]
            if v >= (1 << 64) % n:
                return v % n


# RFC 8032, section 6, cut down to verifying.
P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
Q = 2**252 + 27742317777372353535851937790883648493


def point_add(a, b):
    A, B = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    C, E = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    E, F, G, I = B - A, E - C, E + C, B + A
    return (E * F % P, G * I % P, F * G % P, E * I % P)


def point_mul(s, point):
    total = (0, 1, 1, 0)
    while s > 0:
        if s & 1:
            total = point_add(total, point)
        point = point_add(point, point)
        s >>= 1
    return total


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P != 0 or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def verify_ed25519(public, message, signature):
    A, R, s = decompress(public), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    if A is None or R is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    gy = 4 * pow(5, P - 2, P) % P
    gx = recover_x(gy, 0)
    left, right = point_mul(s, (gx, gy, 1, gx * gy % P)), point_add(R, point_mul(h, A))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# FIPS 186-5, section 6.4.2, on the curve of SP 800-186, section 3.2.1.3; points are (x, y), None is the neutral one.
FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def curve_add(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0] and (a[1] + b[1]) % FIELD == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, FIELD)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, FIELD)
    x = (slope * slope - a[0] - b[0]) % FIELD
    return x, (slope * (a[0] - x) - a[1]) % FIELD


def curve_mul(k, point):
    total = None
    while k > 0:
        if k & 1:
            total = curve_add(total, point)
        point = curve_add(point, point)
        k >>= 1
    return total


def verify_p256(public, message, signature):
    x = int.from_bytes(public[1:], "big")
    square = (x**3 - 3 * x + B) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if public[0] not in (2, 3) or x >= FIELD or y * y % FIELD != square:
        return False
    y = y if y % 2 == public[0] - 2 else FIELD - y
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not 1 <= r < ORDER or not 1 <= s <= (ORDER - 1) // 2:
        return False
    h, w = int.from_bytes(hashlib.sha256(message).digest(), "big"), pow(s, -1, ORDER)
    point = curve_add(curve_mul(h * w % ORDER, G), curve_mul(r * w % ORDER, (x, y)))
    return point is not None and point[0] % ORDER == r


def verify(public, message, signature):
    return (verify_ed25519 if len(public) == 32 else verify_p256)(public, message, signature)
