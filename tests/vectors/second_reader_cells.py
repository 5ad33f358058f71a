"""Cells, of second_reader.py: from the bytes of a block to what its cell holds."""
import hashlib
import hmac
import struct

from second_reader_codes import CODES, CODES_1, bits_of, capacity, chances, sequence_of
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


# [Wavelet packets]: sums are reduced to 64 bits where they are lifted, and at the end; Python's are exact
def wrap(x):
    return (x + (1 << 63) & M64) - (1 << 63)


def lift(c, x):
    return (c * ((x + (1 << 63) & M64) - (1 << 63)) + (1 << 29)) >> 30


def packets(v, depth=5):
    p = len(v) // 2
    if depth == 0 or p == 0:
        return v
    high = v[1:2 * p:2]
    low = [v[2 * i] + lift(1859775393, high[i]) for i in range(p)]
    high = [high[i] - (lift(464943848, low[i]) + lift(-71927064, low[i - 1])) for i in range(p)]
    low = [low[i] - high[(i + 1) % p] for i in range(p)]
    for i in range(p):
        high[i] += low[i]
        low[i] += lift(-517932157, high[i])
        high[i] += lift(-2074309917, low[i])
        low[i] += lift(268101413, high[i])
    return packets(low + v[2 * p:], depth - 1) + packets(high, depth - 1)


# [Grids]: dtype -> letter of struct, bits of mantissa and exponent; the dtypes that the numbers of grids stand for
FLOATS = {"F64": ("Q", 52, 11), "F32": ("I", 23, 8), "F16": ("H", 10, 5), "BF16": ("H", 7, 8)}
GRIDS = {"F64": ("F64", "F32", "F16", "BF16"), "F32": ("F32", None, "F16", "BF16"), "F16": ("F16", None, None, "BF16")}


def grids_of(tensor):
    dtypes = GRIDS.get(tensor.dtype, (tensor.dtype,))
    return [grid for grid, dtype in enumerate(dtypes) if dtype and (grid == 0 or tensor.version > 1)]


# [Values of a cell] -> elements, or positions of bytes; the bit of these bytes that carries
def may_carry(tensor, block, grid, most):
    if tensor.dtype not in FLOATS:
        return [i for i, b in enumerate(block) if CODES_1[tensor.dtype](b)], 0
    letter, mantissa, exponent = FLOATS[tensor.dtype]
    field = (1 << exponent) - 1
    words = struct.unpack("<%d%s" % (len(block) // tensor.group_bytes, letter), block)
    if tensor.dtype in LATTICES and grid == 0:
        first, end = LATTICES[tensor.dtype]
        return [i for i, word in enumerate(words) if first <= word >> mantissa & field < end], None
    _, grid_mantissa, grid_exponent = FLOATS[GRIDS.get(tensor.dtype, (tensor.dtype,))[grid]]
    bit, middle, reach = mantissa - grid_mantissa, field // 2, (1 << grid_exponent) // 2
    first, end = max(1, middle + 2 - reach), min(field, middle + reach)
    on_grid = [i for i, word in enumerate(words)
               if first <= word >> mantissa & field < end and word & (1 << bit) - 1 == 0
               and (tensor.version == 1 or word >> bit + 1 & (1 << grid_mantissa - 1) - 1)]
    if tensor.version > 1 and len(on_grid) > most:
        sizes = {i: (words[i] & (1 << mantissa + exponent) - 1) >> bit + 1 for i in on_grid}
        greatest = sorted(sizes.values())[most - 1]
        on_grid = [i for i in on_grid if sizes[i] <= greatest]
    return [i * tensor.group_bytes + bit // 8 for i in on_grid], bit % 8


# [Lattice]: dtype -> least exponents that take part, and no longer do
LATTICES = {"F32": (16, 241), "F64": (64, 1984)}


class Cell:
    """[BLOCKS AND CELLS]; capacity 0 if there is no room, content None if it does not hold."""

    def __init__(self, tensor, index, grid):
        self.tensor, self.index, self.block = tensor, index, tensor.blocks[index]
        self.capacity, self.attempt, self.content = 0, 0, None
        self.lattice = tensor.dtype in LATTICES and grid == 0
        self.coded = tensor.version > 1 and tensor.dtype in CODES
        in_full = self.lattice or tensor.version == 1
        elements = len(self.block) // tensor.group_bytes * tensor.group
        most, least = (1024, 48) if in_full else (448 if elements == 4096 else 576, 40)
        stream, first, end = Stream(tensor.keys["order"], index), 0, len(self.block)
        if not in_full and elements == 4096:  # [Windows]
            first = stream.below(2) * end // 2
            end = first + end // 2
        if self.coded:
            chance = {first + at: each for at, each in chances(tensor.dtype, self.block[first:end]).items()}
            able, self.bit = list(chance), 0
        else:
            able, self.bit = may_carry(tensor, self.block[first:end], grid, most)
            able = [first + at for at in able]
        m = min(len(able), most)
        if m < 8 * least:  # no kind of value holds more than a bit
            return
        start = stream.below(len(able))
        self.values = (able[start:] + able[:start])[:m]
        if self.lattice and not self.transform():
            return
        self.used = list(range(m - m // 2, m) if self.lattice else range(m))
        for i in range(len(self.used), 1, -1):
            j = stream.below(i)
            self.used[i - 1], self.used[j] = self.used[j], self.used[i - 1]
        if self.coded:
            self.ps = [chance[self.values[used]] for used in self.used]
            self.capacity = capacity(self.ps)
        else:
            self.capacity = len(self.used) // (4 if self.lattice else 8)
            self.used = self.used[:self.capacity * (4 if self.lattice else 8)]
        if self.capacity < least:
            self.capacity = 0
        else:
            self.read()

    def transform(self):
        """[Lattice]"""
        width, (_, mantissa, exponent) = self.tensor.group_bytes, FLOATS[self.tensor.dtype]
        least, end = (limit << mantissa for limit in LATTICES[self.tensor.dtype])
        integers = []
        for element in self.values:
            word = int.from_bytes(self.block[element * width:(element + 1) * width], "little")
            size = word & (1 << mantissa + exponent) - 1
            if not least + 64 <= size < end - 64:
                return False
            integers.append(size if size == word else -size)
        self.coefficients = [wrap(x) for x in packets(integers)]
        return True

    def carried(self):
        """[Order of the carriers]"""
        if self.lattice:
            return [self.coefficients[used] >> bit & 1 for used in self.used for bit in (0, 1)]
        return [self.block[self.values[used]] >> self.bit & 1 for used in self.used]

    def read(self):
        """[What a cell holds]"""
        carried = self.carried()
        bits = sequence_of(carried, self.ps)[:8 * self.capacity] if self.coded else carried
        if len(bits) < 8 * self.capacity:
            return
        raw = bytes(sum(bits[8 * i + b] << b for b in range(8)) for i in range(self.capacity))
        for attempt in range(8):
            white = Stream(self.tensor.keys["whiten"], 8 * self.index + attempt)
            plain = bytes(a ^ b for a, b in zip(raw, white.bytes(self.capacity)))
            if hmac.digest(self.tensor.keys["tag"], N(self.index) + plain[8:], "sha256")[:8] == plain[:8]:
                if not self.coded or bits_of(endless(bits, white), self.ps) == carried:
                    self.attempt, self.content = attempt, plain[8:]
                return

    def digest(self):
        """[Block]"""
        blank = bytearray(self.block)
        if not self.lattice:
            for used in self.used:
                blank[self.values[used]] &= ~(1 << self.bit)
            return H(b"\x03" + blank)
        width = self.tensor.group_bytes
        bitmap = bytearray((len(blank) // width + 7) // 8)
        for element in self.values:
            blank[element * width:(element + 1) * width] = bytes(width)
            bitmap[element // 8] |= 1 << element % 8
        masked = list(self.coefficients)
        for used in self.used:
            masked[used] &= ~3
        return H(b"\x02" + blank + bitmap + struct.pack("<%dq" % len(masked), *masked))


def endless(bits, white):
    yield from bits
    while True:
        byte = white.bytes(1)[0]
        yield from (byte >> bit & 1 for bit in range(8))
