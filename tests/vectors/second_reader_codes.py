"""Quantized codes, of second_reader.py: which bytes may carry, the chances of their lowest bits, and the coder."""
import math

# [Quantized codes]: dtype -> the code of a byte, number of pairs, the pair zero, ends
CODES = {"I8": (lambda b: b ^ 0x80, 128, 64, (0, 127)),
         "U8": (lambda b: b, 128, 0, (127,)),
         "F8_E4M3": (lambda b: b & 0x7F, 64, None, (63,)),
         "F8_E4M3FNUZ": (lambda b: b & 0x7F, 64, None, (63,)),
         "F8_E5M2": (lambda b: b & 0x7F, 64, None, (61, 62, 63)),
         "F8_E5M2FNUZ": (lambda b: b & 0x7F, 64, None, (63,))}
# dtype of fp8 -> number of pairs with one exponent
PAIRS = {"F8_E4M3": 4, "F8_E4M3FNUZ": 4, "F8_E5M2": 2, "F8_E5M2FNUZ": 2}

# [Version 1]: dtype -> whether the byte b may carry
CODES_1 = {"I8": lambda b: b & 0xFE not in (0, 0x80), "U8": lambda b: b & 0xFE != 0,
           "F8_E4M3": lambda b: b & 0x78 != 0 and b & 0x7F < 0x7E, "F8_E4M3FNUZ": lambda b: b & 0x78 != 0,
           "F8_E5M2": lambda b: b & 0x7C != 0 and b & 0x7F < 0x7C, "F8_E5M2FNUZ": lambda b: b & 0x7C != 0}


# [Quantized codes]
def chances(dtype, block):
    """Position of a byte that may carry -> its chance."""
    code, pairs, zero, ends = CODES[dtype]
    of_byte = [code(b) // 2 for b in block]
    counts = [of_byte.count(p) for p in range(pairs)]
    if dtype in PAIRS:
        of_pair = [fp8_chance(counts, PAIRS[dtype], ends, p) for p in range(pairs)]
        return {i: of_pair[p] for i, p in enumerate(of_byte) if of_pair[p]}
    of_pair = [chance(counts, zero, ends, p) for p in range(pairs)]
    of_code = [of_pair[p] and shrunk(of_pair[p] + toward_zero(z * (of_pair[p] * (4096 - of_pair[p]) // 4096), 4096))
               for p, z in zip(of_byte, likeness(of_byte, pairs))]
    return {i: found for i, found in enumerate(of_code) if found}


def shrunk(x):
    return usable(2048 + toward_zero((x - 2048) * 29, 32))


def toward_zero(a, b):
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def likeness(of_byte, pairs):
    """z of each code; these types have one group."""
    c = [4 * p + 1 - (2 * pairs - 1) for p in of_byte]
    g = toward_zero(8 * sum(c), len(c))
    t = [8 * x - g for x in c]
    beside, farther = beside_at(t, 1), beside_at(t, 3)
    y = [near + far for near, far in zip(beside, farther)]
    XX, XY, YY = (sum(a * b for a, b in zip(*each)) for each in ((t, t), (t, y), (y, y)))
    f = max(-65536, min(65536, toward_zero(65536 * XY, YY))) if XX and YY else 0
    q = max(0, min(49152, toward_zero(f * XY, XX))) if XX and YY else 0
    V = XX // len(t)
    for each, around, near in zip(t, y, beside):
        z = 480 // pairs * (1 if each < 0 else -1) + 1800 // pairs * ((near > 2 * each) - (near < 2 * each))
        if V:  # g is the mean of all g
            z += max(-4096, min(4096, toward_zero(65536 * (f * around - q * each), V * (65536 - q))))
        yield z


def beside_at(t, away):
    n = len(t)
    return [(t[i - away] if i >= away else t[i + away]) + (t[i + away] if i + away < n else t[i - away])
            if i >= away or i + away < n else 0 for i in range(n)]


def usable(chance):
    return chance if 768 <= chance <= 3328 else None


def chance(counts, zero, ends, p):
    if p == zero or p in ends or zero == 64 and p == 63:
        return None
    if counts[p] >= 16 and 2 * counts[p] > 3 * (counts[p - 1] + counts[p + 1]):
        return None
    for d, r in ((1, 2), (3, 3), (7, 4)):
        for x in (*range(p - d, p), *range(p + 1, p + d + 1)):
            if not 0 <= x < len(counts) or x in ends or x == zero and counts[x] > 2 * counts[p]:
                return None
        A, B = sum(counts[p + 1:p + d + 1]), sum(counts[p - d:p])
        if A + B >= (64 if d == 7 else max(64, len(counts))):
            return by_ratio(A, B, r)
    return None


def fp8_chance(counts, k, ends, p):
    if p < k or p % k == 0 or p in ends or p + 1 in ends:
        return None
    A, B = counts[p + 1], counts[p - 1]
    if A + B < 64:
        return None
    return by_ratio(A * (7 if p % k == 1 else 8) // 4, B * (14 if p % k == k - 1 else 8) // 4, 2)


def by_ratio(A, B, r):
    a, b = root(A, r), root(B, r)
    return usable(4096 * a // (a + b))


def root(n, times):
    x = (n + 1) << 24
    for _ in range(times):
        x = math.isqrt(x << 24)
    return x


# [Capacity]
def capacity(ps):
    return max(0, sum(p * (4096 - p) // 1024 for p in ps) // 4096 - 16) // 8


# [Bits of quantized codes]
class Coder:
    def __init__(self):
        self.low, self.high = 0, (1 << 32) - 1

    def split(self, p):
        return self.low + (self.high - self.low) * (4096 - p) // 4096

    def take(self, bit, split):
        """-> what was subtracted before each doubling."""
        self.low, self.high = (split + 1, self.high) if bit else (self.low, split)
        taken = []
        while True:
            if self.high < 2**31:
                less = 0
            elif self.low >= 2**31:
                less = 2**31
            elif self.low >= 2**30 and self.high < 3 * 2**30:
                less = 2**30
            else:
                return taken
            self.low, self.high = 2 * (self.low - less), 2 * (self.high - less) + 1
            taken.append(less)


def sequence_of(bits, ps):
    """What a reader gets: the bits that are settled."""
    coder, sequence, due = Coder(), [], 0
    for bit, p in zip(bits, ps):
        for less in coder.take(bit, coder.split(p)):
            if less == 2**30:
                due += 1
            else:
                known = less >> 31
                sequence += [known] + [1 - known] * due
                due = 0
    return sequence


def bits_of(sequence, ps):
    """What a sealer makes of an endless sequence."""
    coder, v, bits = Coder(), 0, []
    for _ in range(32):
        v = 2 * v + next(sequence)
    for p in ps:
        split = coder.split(p)
        bits.append(int(v > split))
        for less in coder.take(bits[-1], split):
            v = 2 * (v - less) + next(sequence)
    return bits
