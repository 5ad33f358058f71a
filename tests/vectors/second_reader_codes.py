"""Quantized codes, of second_reader.py: which bytes may carry, the chances of their lowest bits, and the coder."""
import math

# [Quantized codes]: dtype -> the code of a byte, number of pairs, the pair zero, ends
CODES = {"I8": (lambda b: b ^ 0x80, 128, 64, (0, 127)),
         "U8": (lambda b: b, 128, 0, (127,)),
         "F8_E4M3": (lambda b: b & 0x7F, 64, None, (0, 1, 2, 3, 63)),
         "F8_E4M3FNUZ": (lambda b: b & 0x7F, 64, None, (0, 1, 2, 3, 63)),
         "F8_E5M2": (lambda b: b & 0x7F, 64, None, (0, 1, 61, 62, 63)),
         "F8_E5M2FNUZ": (lambda b: b & 0x7F, 64, None, (0, 1, 63))}

# [Version 1]: dtype -> whether the byte b may carry
CODES_1 = {"I8": lambda b: b & 0xFE not in (0, 0x80), "U8": lambda b: b & 0xFE != 0,
           "F8_E4M3": lambda b: b & 0x78 != 0 and b & 0x7F < 0x7E, "F8_E4M3FNUZ": lambda b: b & 0x78 != 0,
           "F8_E5M2": lambda b: b & 0x7C != 0 and b & 0x7F < 0x7C, "F8_E5M2FNUZ": lambda b: b & 0x7C != 0}


# [Quantized codes]
def chances(dtype, block):
    """Position of a byte that may carry -> its chance."""
    code, pairs, zero, ends = CODES[dtype]
    counts = [0] * pairs
    for b in block:
        counts[code(b) // 2] += 1
    of_pair = [chance(counts, zero, ends, p) for p in range(pairs)]
    return {i: of_pair[code(b) // 2] for i, b in enumerate(block) if of_pair[code(b) // 2]}


def chance(counts, zero, ends, p):
    if p == zero or p in ends:
        return None
    for d, r in ((1, 2), (3, 3), (7, 4)):
        for x in (*range(p - d, p), *range(p + 1, p + d + 1)):
            if not 0 <= x < len(counts) or x in ends or x == zero and counts[x] > 2 * counts[p]:
                return None
        A, B = sum(counts[p + 1:p + d + 1]), sum(counts[p - d:p])
        if A + B >= 64:
            a, b = root(A, r), root(B, r)
            found = 4096 * a // (a + b)
            return found if 1664 <= found <= 2432 else None
    return None


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
