"""Cells, of second_reader.py: from the bytes of a block to what its cell holds."""
import hashlib
import hmac
import struct

from second_reader_crypto import Stream

M64 = (1 << 64) - 1


# [Notation]
def H(data):
    return hashlib.sha256(data).digest()


def N(n):
    return struct.pack("<Q", n)


def T(text):
    text = text.encode() if isinstance(text, str) else text
    return N(len(text)) + text


# [Wavelet packets]
def lift(c, x):
    return wrap((c * x + (1 << 29)) >> 30)


def wrap(x):
    return (x + (1 << 63) & M64) - (1 << 63)


def packets(v, depth=5):
    p = len(v) // 2
    if depth == 0 or p == 0:
        return v
    high = v[1:2 * p:2]
    low = [wrap(v[2 * i] + lift(1859775393, high[i])) for i in range(p)]
    high = [wrap(high[i] - (lift(464943848, low[i]) + lift(-71927064, low[i - 1]))) for i in range(p)]
    low = [wrap(low[i] - high[(i + 1) % p]) for i in range(p)]
    for i in range(p):
        high[i] = wrap(high[i] + low[i])
        low[i] = wrap(low[i] + lift(-517932157, high[i]))
        high[i] = wrap(high[i] + lift(-2074309917, low[i]))
        low[i] = wrap(low[i] + lift(268101413, high[i]))
    return packets(low + v[2 * p:], depth - 1) + packets(high, depth - 1)


# [Values of a cell]: dtype -> (exponent bits' shift and mask, exponents that do not take part)
def may_carry(tensor, block):
    if tensor.dtype in ("F32", "F64"):
        shift, mask, first, last = (23, 0xFF, 16, 241) if tensor.dtype == "F32" else (52, 0x7FF, 64, 1984)
        words = struct.unpack("<%d%s" % (len(block) // tensor.group_bytes, "I" if shift == 23 else "Q"), block)
        return [i for i, word in enumerate(words) if first <= (word >> shift & mask) < last]
    if tensor.dtype in ("F16", "BF16"):
        shift, mask = (10, 0x1F) if tensor.dtype == "F16" else (7, 0xFF)
        words = struct.unpack("<%dH" % (len(block) // 2), block)
        return [2 * i for i, word in enumerate(words) if (word >> shift & mask) not in (0, mask)]
    rule = {"I8": lambda b: b & 0xFE not in (0, 0x80), "U8": lambda b: b & 0xFE != 0,
            "F8_E4M3": lambda b: b & 0x78 != 0 and b & 0x7F < 0x7E, "F8_E4M3FNUZ": lambda b: b & 0x78 != 0,
            "F8_E5M2": lambda b: b & 0x7C != 0 and b & 0x7F < 0x7C, "F8_E5M2FNUZ": lambda b: b & 0x7C != 0}
    return [i for i, b in enumerate(block) if rule[tensor.dtype](b)]


class Cell:
    """[BLOCKS AND CELLS]; capacity 0 if there is no room."""

    def __init__(self, tensor, index):
        self.tensor, self.index, self.block = tensor, index, tensor.blocks[index]
        self.capacity, self.attempt, self.content = 0, 0, None
        self.lattice = tensor.dtype in ("F32", "F64")
        taking_part = may_carry(tensor, self.block)
        m = min(len(taking_part), 1024)
        k = m // 2 if self.lattice else m
        capacity = k // (4 if self.lattice else 8)
        if capacity < 48:
            return
        stream = Stream(tensor.keys["order"], index)
        start = stream.below(len(taking_part))
        self.values = (taking_part[start:] + taking_part[:start])[:m]
        if self.lattice and not self.transform():
            return
        order = list(range(m - k, m) if self.lattice else range(k))
        for i in range(k, 1, -1):
            j = stream.below(i)
            order[i - 1], order[j] = order[j], order[i - 1]
        self.order = order[:capacity * (4 if self.lattice else 8)]
        self.capacity = capacity
        self.read()

    def transform(self):
        bits, exponents = (31, (16 << 23, 241 << 23)) if self.tensor.dtype == "F32" else (63, (64 << 52, 1984 << 52))
        width = self.tensor.group_bytes
        integers = []
        for element in self.values:
            word = int.from_bytes(self.block[element * width:(element + 1) * width], "little")
            size = word & ((1 << bits) - 1)
            if not exponents[0] + 64 <= size < exponents[1] - 64:
                return False
            integers.append(-size if word >> bits else size)
        self.coefficients = packets(integers)
        return True

    def read(self):
        carried = []
        for used in self.order:
            if self.lattice:
                carried += [self.coefficients[used] & 1, self.coefficients[used] >> 1 & 1]
            else:
                carried.append(self.block[self.values[used]] & 1)
        raw = bytes(sum(carried[8 * i + b] << b for b in range(8)) for i in range(self.capacity))
        for attempt in range(8):
            white = Stream(self.tensor.keys["whiten"], 8 * self.index + attempt).bytes(self.capacity)
            plain = bytes(a ^ b for a, b in zip(raw, white))
            if hmac.digest(self.tensor.keys["tag"], N(self.index) + plain[8:], "sha256")[:8] == plain[:8]:
                self.attempt, self.content = attempt, plain[8:]
                return

    def digest(self):
        """[Block]"""
        blank = bytearray(self.block)
        if not self.lattice:
            for used in self.order:
                blank[self.values[used]] &= 0xFE
            return H(b"\x03" + blank)
        width = self.tensor.group_bytes
        bitmap = bytearray((len(blank) // width + 7) // 8)
        for element in self.values:
            blank[element * width:(element + 1) * width] = bytes(width)
            bitmap[element // 8] |= 1 << element % 8
        masked = list(self.coefficients)
        for used in self.order:
            masked[used] &= ~3
        return H(b"\x02" + blank + bitmap + struct.pack("<%dq" % len(masked), *masked))
