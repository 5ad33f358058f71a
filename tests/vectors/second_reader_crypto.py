"""The cryptography that second_reader.py needs and Python's standard library lacks: ChaCha20 and Ed25519, as the RFCs
give them. Slow, and not safe against those who measure time: only for checking, where nothing is secret.
"""
import hashlib
import struct


# modelseal-seal(5), "Keyed numbers"
class Stream:
    def __init__(self, key, nonce):
        self.start = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key))
        self.nonce = [nonce & 0xFFFFFFFF, nonce >> 32]
        self.counter = 0
        self.ready = b""

    def block(self):
        start = self.start + [self.counter & 0xFFFFFFFF, self.counter >> 32] + self.nonce
        self.counter += 1
        x = list(start)
        for _ in range(10):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                for p, q, r, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    x[p] = (x[p] + x[q]) & 0xFFFFFFFF
                    v = x[r] ^ x[p]
                    x[r] = (v << turn | v >> (32 - turn)) & 0xFFFFFFFF
        return struct.pack("<16I", *((u + v) & 0xFFFFFFFF for u, v in zip(x, start)))

    def bytes(self, count):
        while len(self.ready) < count:
            self.ready += self.block()
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


def verify(public, message, signature):
    A, R, s = decompress(public), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    if A is None or R is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    gy = 4 * pow(5, P - 2, P) % P
    gx = recover_x(gy, 0)
    left, right = point_mul(s, (gx, gy, 1, gx * gy % P)), point_add(R, point_mul(h, A))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0
