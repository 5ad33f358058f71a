"""Where a seal can be: the values of a file that may carry, their lowest bits, and what a stranger sees around them.

A tensor is decoded to rows of codes, the groups in which they were quantized: 32 or 16 codes of a GGUF type, a row or
all of an integer tensor, all of a float one. A code is a pair (all but its lowest bit) and a bit. Contexts never look
at the bit itself. The rules of what carries are those of modelseal-seal(5), which everybody has; no key is needed.
"""
import dataclasses

import numpy as np

from trace_casts import GGUF

WINDOW, WINDOWED_CELL = 2048, 448  # elements, and values of a cell in lowest bits

CONTEXTS = ("rank", "dups", "near")  # beside "pair", which has no context
SIZES = {"rank": 64, "dups": 7, "near": 10}


@dataclasses.dataclass
class Codes:
    """The codes of one tensor."""
    rows: np.ndarray  # (groups, codes of a group), int32, at least 0
    carry: np.ndarray  # same shape: the values whose lowest bit may carry
    spare: np.ndarray  # same shape or None: values of the same distribution that never carry
    levels: int  # codes are below this


@dataclasses.dataclass
class Carriers:
    """The values of a file that may carry, one after another, with their contexts."""
    pair: np.ndarray
    bit: np.ndarray
    block: np.ndarray  # number of the block in the file
    tensor: np.ndarray
    context: dict
    slope: np.ndarray  # log odds of the bit after a smooth fit through the totals of the pairs
    spare: tuple  # (pair, bit) of values that never carry
    pairs: int  # number of pairs


def block_length(spec, kind):
    """The natural block length of modelseal-seal(5), or the window in which a customer's cell in lowest bits lies."""
    if in_lowest_bits(kind):
        return WINDOW
    elements = sum(int(np.prod(tensor.shape)) for tensor in spec)
    length = 1024
    while length < 8192 and 2 * length <= elements // 32:
        length *= 2
    return length


def in_lowest_bits(kind):
    return kind != "f32" and not kind.startswith("fake")


def smallest(carries, magnitude):
    """The smallest of each window that carry, as many as a cell takes, and those that are equal to the last of them."""
    kept = carries.copy()
    for first in range(0, len(carries), WINDOW):
        window = slice(first, first + WINDOW)
        able = magnitude[window][carries[window]]
        if len(able) > WINDOWED_CELL:
            kept[window] &= magnitude[window] <= np.partition(able, WINDOWED_CELL - 1)[WINDOWED_CELL - 1]
    return kept


def decode_small(data, kind):
    """q4_0, q4_1, q5_0, q5_1, q8_0: low nibbles are elements 0 to 15 of a group."""
    if kind == "q8_0":
        codes = data[:, 2:].view(np.int8).astype(np.int32) + 128
        carry = (codes >> 1 != 64) & (codes >> 1 != 0)
        return Codes(codes, carry, None, 256)
    start = {"q4_0": 2, "q4_1": 4, "q5_0": 6, "q5_1": 8}[kind]
    nibbles = data[:, start:]
    codes = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.int32)
    if kind in ("q5_0", "q5_1"):
        high = np.ascontiguousarray(data[:, start - 4:start]).view("<u4")
        codes |= ((high >> np.arange(32, dtype=np.uint32)) & 1).astype(np.int32) << 4
    return Codes(codes, np.ones(codes.shape, bool), None, 32 if kind in ("q5_0", "q5_1") else 16)


def decode_two_bits(data, kind):
    """q2_k and q3_k: four elements a byte, of which the lowest carries."""
    start = 16 if kind == "q2_k" else 32
    bytes_ = data[:, start:start + 64].reshape(-1, 2, 1, 32)
    # Dimensions: group, half, shift, byte.
    codes = (bytes_ >> np.arange(0, 8, 2, dtype=np.uint8).reshape(1, 1, 4, 1) & 3).astype(np.int32)
    carry = np.zeros(codes.shape, bool)
    spare = np.zeros(codes.shape, bool)
    carry[:, :, 0] = codes[:, :, 0] >= 2
    spare[:, :, 1:] = codes[:, :, 1:] >= 2
    if kind == "q3_k":
        masks = (1 << np.arange(8, dtype=np.uint8)).reshape(1, 2, 4, 1)
        codes |= (data[:, :32].reshape(-1, 1, 1, 32) & masks != 0).astype(np.int32) << 2
    rows = (-1, 16)
    return Codes(codes.reshape(rows), carry.reshape(rows), spare.reshape(rows), 8 if kind == "q3_k" else 4)


def decode_nibbles_k(data, kind):
    """q4_k and q5_k: the low nibbles of 32 bytes are one group, the high ones the next."""
    start = 16 if kind == "q4_k" else 48
    nibbles = data[:, start:start + 128].reshape(-1, 4, 1, 32)
    codes = np.concatenate([nibbles & 15, nibbles >> 4], axis=2).astype(np.int32)
    if kind == "q5_k":
        masks = (1 << np.arange(8, dtype=np.uint8)).reshape(1, 4, 2, 1)
        codes |= (data[:, 16:48].reshape(-1, 1, 1, 32) & masks != 0).astype(np.int32) << 4
    rows = (-1, 32)
    codes = codes.reshape(rows)
    return Codes(codes, np.ones(codes.shape, bool), None, 32 if kind == "q5_k" else 16)


def decode_q6_k(data):
    low = data[:, :128].reshape(-1, 2, 2, 32)
    high = data[:, 128:192].reshape(-1, 2, 1, 32)
    codes = np.concatenate([low & 15, low >> 4], axis=2).astype(np.int32)  # group, half, quarter, byte
    codes |= (high >> np.arange(0, 8, 2, dtype=np.uint8).reshape(1, 1, 4, 1) & 3).astype(np.int32) << 4
    rows = (-1, 16)
    codes = codes.reshape(rows)
    return Codes(codes, np.ones(codes.shape, bool), None, 64)


# The pair with the code of zero, in types that have one. Those at the ends and beside them never carry.
ZERO = {"q4_0": 4, "q5_0": 8, "q8_0": 64, "q6_k": 16, "i8": 64}


def spared(codes, kind):
    """The codes without those that the page spares, among carriers and among what is compared with them."""
    pair, pairs = codes.rows >> 1, codes.levels // 2
    inner = (pair > 1) & (pair < pairs - 2) & (pair != ZERO.get(kind, -1))
    codes.carry &= inner
    if codes.spare is not None:
        codes.spare &= inner
    return codes


def decode_gguf(data, kind):
    data = data.reshape(-1, GGUF[kind][2])
    if kind in ("q2_k", "q3_k"):
        return decode_two_bits(data, kind)
    if kind in ("q4_k", "q5_k"):
        return spared(decode_nibbles_k(data, kind), kind)
    return spared(decode_q6_k(data) if kind == "q6_k" else decode_small(data, kind), kind)


def decode_integers(data, tensor, per_row):
    signed = tensor.type == "i8"
    codes = data.view(np.int8 if signed else np.uint8).astype(np.int32) + (128 if signed else 0)
    codes = codes.reshape(tensor.shape[0] if per_row else 1, -1)
    carry = codes >> 1 != 0
    if signed:
        carry &= codes >> 1 != 64
    return spared(Codes(codes, carry, None, 256), tensor.type)


def halves_of(data, tensor, kind):
    """The 16 bits in which a value is stored or from which it was upcast, and how many of them are the exponent."""
    if kind == "f16_bf16":
        return (data.view(np.float16).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16), 8
    if tensor.type != "f32":
        return data.view(np.uint16), 5 if tensor.type == "f16" else 8
    if kind == "f32_f16":
        return data.view(np.float32).astype(np.float16).view(np.uint16), 5
    return ((data.view(np.uint32).astype(np.uint64) + 0x8000) >> 16).astype(np.uint16), 8


def float_carriers(data, tensor, kind):
    """(bits of the mantissa, carries, columns) of a float tensor.

    A pair is how far the exponent is below the greatest, and three bits above the lowest.
    """
    if tensor.type == "f32" and kind not in ("f32_f16", "f32_bf16"):
        bits, mantissa = data.view(np.uint32), 23
        exponent = (bits >> 23 & 255).astype(np.int32)
        carries = (exponent >= 16) & (exponent < 241)
        top = (bits >> 20 & 7).astype(np.int32)
    else:
        bits, size = halves_of(data, tensor, kind)
        mantissa = 15 - size
        exponent = (bits >> mantissa & ((1 << size) - 1)).astype(np.int32)
        carries = (exponent > 0) & (exponent < (1 << size) - 1) & (bits & ((1 << mantissa) - 1) > 1)
        carries = smallest(carries, bits >> 1 & 0x3FFF)
        top = (bits >> (mantissa - 3) & 7).astype(np.int32)
    below = np.clip((exponent[carries].max() if carries.any() else 0) - exponent, 0, 15)
    pair = below * 8 + (bits >> 1 & 7).astype(np.int32)
    order = (bits & (0x7FFFFFFF if mantissa == 23 else 0x7FFF)).astype(np.int64)
    return mantissa, carries, (pair, (bits & 1).astype(np.int32), order, below, top)


def contexts_of_rows(codes):
    """The contexts of every code of a tensor, and the log odds by the smooth fit."""
    rows, pair = codes.rows, codes.rows >> 1
    ordered = np.sort(rows, axis=1)
    above = sum((ordered[:, -i, None] > 2 * pair + 1).astype(np.int8) for i in range(1, min(3, rows.shape[1]) + 1))
    below = sum((ordered[:, i, None] < 2 * pair).astype(np.int8) for i in range(min(3, rows.shape[1])))
    spread = np.abs(pair - pair.mean(axis=1, keepdims=True)).mean(axis=1, keepdims=True) / codes.levels * 2
    spread = np.clip(spread * 16, 0, 3).astype(np.int8)
    # How often the other codes of the row are the upper and the lower code of this pair.
    keys = (np.arange(rows.shape[0])[:, None] * codes.levels + rows).reshape(-1)
    counts = np.bincount(keys, minlength=rows.shape[0] * codes.levels).reshape(rows.shape[0], codes.levels)
    upper = np.take_along_axis(counts, 2 * pair + 1, axis=1) - (rows & 1)
    lower = np.take_along_axis(counts, 2 * pair, axis=1) - 1 + (rows & 1)
    dups = np.digitize((upper - lower) / np.sqrt(upper + lower + 1), [-2, -1, -0.3, 0.3, 1, 2])
    before, after = np.roll(rows, 1, axis=1), np.roll(rows, -1, axis=1)
    near = np.digitize((before + after) / 2 - 2 * pair - 0.5, np.array([-0.25, -0.03, 0.03, 0.25]) * codes.levels)
    rank = (above.astype(np.int32) * 4 + below) * 4 + spread
    totals = np.bincount(pair[codes.carry], minlength=codes.levels // 2)
    odds = smooth_slope(totals, 2 if codes.levels > 64 else 0)
    return {"rank": rank, "dups": dups, "near": near + 5 * (before & 1)}, odds[pair]


def smooth_slope(totals, width):
    """Log odds of the upper code of each pair: the slope of the smoothed logarithm of the totals."""
    kernel = np.ones(1)
    for _ in range(2 if width else 0):
        kernel = np.convolve(kernel, np.ones(width + 1))
    smooth = np.convolve(np.pad(totals.astype(float), len(kernel) // 2, "edge"), kernel / kernel.sum(), "valid")
    logs = np.log(smooth[:len(totals)] + 0.5)
    return np.gradient(logs) / 2 if len(logs) > 1 else np.zeros(1)


def contexts_of_floats(mantissa, bit, order, below, top):
    """The contexts of a float tensor, of those values that may carry."""
    values, place, counts = np.unique(order, return_inverse=True, return_counts=True)
    other = np.searchsorted(values, order ^ 1)
    other = np.minimum(other, len(values) - 1)
    twin = np.where(values[other] == order ^ 1, counts[other], 0)
    own = counts[place] - 1
    upper, lower = np.where(bit == 1, own, twin), np.where(bit == 1, twin, own)
    dups = np.digitize((upper - lower) / np.sqrt(upper + lower + 1), [-2, -1, -0.3, 0.3, 1, 2])
    near = np.sign(np.roll(below, 1) - below) + 1
    rank = np.minimum(below, 7) * 8 + top
    # 32 bins for each exponent: many enough for the slope, few enough for counts that are not noise.
    bins = order >> (mantissa - 5)
    bins -= bins.min()
    odds = smooth_slope(np.bincount(bins), 4)[bins] * 2 / (1 << (mantissa - 5))
    return {"rank": rank, "dups": dups, "near": near + 5 * np.roll(bit, 1)}, odds


def carriers_of(content, spec, kind):
    """All values of a file that may carry."""
    length, first, parts, spares = block_length(spec, kind), 0, [], []
    pairs = 128
    for number, tensor in enumerate(spec):
        size = int(np.prod(tensor.shape))
        blocks = -(-size // length)
        data = np.frombuffer(content, np.uint8, tensor.bytes, tensor.offset)
        if size < 384:
            first += blocks
            continue
        if tensor.type in GGUF or tensor.type in ("i8", "u8"):
            codes = decode_gguf(data, kind) if tensor.type in GGUF else decode_integers(data, tensor, kind == "i8_row")
            pairs = codes.levels // 2
            contexts, odds = contexts_of_rows(codes)
            at = codes.carry.reshape(-1)
            pair, bit = (codes.rows >> 1).reshape(-1)[at], (codes.rows & 1).reshape(-1)[at]
            contexts, odds = {name: c.reshape(-1)[at] for name, c in contexts.items()}, odds.reshape(-1)[at]
            if codes.spare is not None:
                spares.append(codes.rows[codes.spare])
        else:
            mantissa, at, columns = float_carriers(data, tensor, kind)
            pair, bit, order, below, top = (column[at] for column in columns)
            if not len(pair):
                first += blocks
                continue
            contexts, odds = contexts_of_floats(mantissa, bit, order, below, top)
        parts.append((pair, bit, first + np.flatnonzero(at) // length, np.full(len(pair), number), odds, contexts))
        first += blocks
    joined = [np.concatenate([part[i] for part in parts]) for i in range(5)]
    spare = np.concatenate(spares) if spares else np.zeros(0, np.int32)
    return Carriers(joined[0], joined[1], joined[2], joined[3],
                    {name: np.concatenate([part[5][name] for part in parts]).astype(np.int32) for name in CONTEXTS},
                    joined[4], (spare >> 1, spare & 1), pairs)


def changed_blocks(plain, sealed, spec, kind):
    """The blocks, numbered as those of carriers, in which two files of one model differ: the truth for a detector."""
    length, first, found = block_length(spec, kind), 0, []
    for tensor in spec:
        size = int(np.prod(tensor.shape))
        a, b = (np.frombuffer(c, np.uint8, tensor.bytes, tensor.offset) for c in (plain, sealed))
        at = np.flatnonzero(a != b)
        _, group, group_bytes = GGUF.get(tensor.type, (0, 1, tensor.bytes // size))
        element = at // group_bytes * group
        found.append(first + np.unique(element // length))
        first += -(-size // length)
    return np.concatenate(found)
