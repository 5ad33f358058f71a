"""Statistics of one file, which is seen alone and without a key: of the file, and of each of its blocks.

A model of the lowest bit gives each value that may carry the odds that its bit is 1. A seal shows itself in that its
bits do not follow these odds. Two hypotheses are tested against each model: sealed bits are fair coins ("flat"), and
sealed bits follow the frequencies that the pair has in this file ("drawn").
"""
import numpy as np

from trace_casts import GGUF, INTEGERS
from trace_codes import (CONTEXTS, SIZES, WINDOWED_CELL, block_length, carriers_of, decode_gguf, decode_integers,
                         in_lowest_bits)

LEAST = 384  # values without which a block has no cell


def count(carriers):
    """How often each bit occurs for each pair, in each context: what the tables are made of."""
    tables = {"pair": np.bincount(2 * carriers.pair + carriers.bit, minlength=2 * carriers.pairs).reshape(-1, 2)}
    for name in CONTEXTS:
        keys = 2 * (carriers.pair * SIZES[name] + carriers.context[name]) + carriers.bit
        tables[name] = np.bincount(keys, minlength=2 * carriers.pairs * SIZES[name]).reshape(carriers.pairs, -1, 2)
    return tables


def odds_of(counts, prior, weight):
    """Log odds of bit 1, drawn to the prior's where counts are few."""
    chance = 1 / (1 + np.exp(-prior))
    return np.log((counts[..., 1] + weight * chance) / (counts[..., 0] + weight * (1 - chance)))


def learn(counts):
    """Tables of log odds from the counts of other, unsealed networks."""
    total = {name: sum(each[name] for each in counts) for name in ("pair", *CONTEXTS)}
    odds = {"pair": odds_of(total["pair"], np.zeros(len(total["pair"])), 8)}
    for name in CONTEXTS:
        odds[name] = odds_of(total[name], odds["pair"][:, None], 30)
    return odds


def odds_by_model(carriers, tables):
    """Log odds of every bit by each model that the type has, and those by the file's own frequencies."""
    small = {name: table.astype(np.float32) for name, table in tables.items()}
    odds = {"pair": small["pair"][carriers.pair]}
    for name in CONTEXTS:
        odds[name] = small[name].reshape(-1)[carriers.pair * SIZES[name] + carriers.context[name]]
    odds["all"] = odds["pair"] + sum(odds[name] - odds["pair"] for name in CONTEXTS)
    odds["slope"] = carriers.slope.astype(np.float32)
    if len(carriers.spare[0]):
        spare = np.bincount(2 * carriers.spare[0] + carriers.spare[1], minlength=2 * carriers.pairs).reshape(-1, 2)
        odds["spare"] = odds_of(spare, tables["pair"], 4).astype(np.float32)[carriers.pair]
    keys = 2 * (carriers.tensor * carriers.pairs + carriers.pair) + carriers.bit
    own = np.bincount(keys, minlength=2 * carriers.pairs * (carriers.tensor[-1] + 1)).reshape(-1, 2)
    own = odds_of(own, np.zeros(len(own)), 2).astype(np.float32)[keys >> 1]
    return {name: np.clip(value, -6, 6) for name, value in odds.items()}, np.clip(own, -6, 6)


def log_likelihood(odds, bit):
    """log P(bit) under log odds, which are clipped, so that float32 is exact enough and neither function overflows."""
    return -np.log(1 + np.exp(odds * (1 - 2 * bit).astype(np.float32)))


def cell_values(kind):
    """Values of a cell, at most."""
    return WINDOWED_CELL if in_lowest_bits(kind) else 1024


def windows(sums, first, last, cell):
    """Sums over the circular windows of `cell` values in a block, from cumulative sums."""
    n = last - first
    total = sums[:, last] - sums[:, first]
    if n <= cell:
        return total[:, None]
    start = np.arange(0, n, max(1, n // 64))
    end = start + cell
    wrapped = end > n
    stop = first + np.where(wrapped, end - n, end)
    return np.where(wrapped, total[:, None], 0) + sums[:, stop] - sums[:, first + start]


def test_blocks(carriers, ratios, blocks, cell):
    """(ratios, blocks): log of the likelihood ratio that the block has a cell, and how far its windows differ."""
    sums = np.zeros((len(ratios), ratios.shape[1] + 1))
    np.cumsum(ratios, axis=1, dtype=np.float64, out=sums[:, 1:])
    deviation = np.sqrt(np.einsum("ij,ij->i", ratios, ratios) / ratios.shape[1]) + 1e-3
    bounds = np.searchsorted(carriers.block, np.arange(blocks + 1))
    factor, contrast = np.zeros((len(ratios), blocks)), np.full((len(ratios), blocks), np.nan)
    for block in range(blocks):
        first, last = bounds[block], bounds[block + 1]
        if last - first < LEAST:
            continue
        each = windows(sums, first, last, cell)
        factor[:, block] = np.logaddexp.reduce(each, axis=1) - np.log(each.shape[1])
        n = last - first
        if n >= cell + 256:
            mean = (sums[:, last] - sums[:, first])[:, None] * cell / n
            contrast[:, block] = (each - mean).max(axis=1) / (deviation * np.sqrt(cell * (1 - cell / n)))
    return factor, contrast


def fit(values, expected, weights, spread):
    """The factor by which the bits follow the weights: 1 if the weights are right, less where bits are replaced."""
    return float((values - expected) @ weights / (np.sum(spread * weights * weights, dtype=np.float64) + 1e-6))


def model_statistics(carriers, tables, blocks, cell):
    """Statistics of the file and of the blocks from all models."""
    odds, own = odds_by_model(carriers, tables)
    models = list(odds)
    ratios = np.empty((2 * len(models), len(own)), np.float32)
    drawn = log_likelihood(own, carriers.bit)
    for i, name in enumerate(models):
        known = log_likelihood(odds[name], carriers.bit)
        ratios[i], ratios[i + len(models)] = np.float32(np.log(0.5)) - known, drawn - known
    factor, contrast = test_blocks(carriers, ratios, blocks, cell)
    chance = 1 / (1 + np.exp(-own))
    bit, spread = carriers.bit.astype(np.float32), chance * (1 - chance)
    file, block = {}, {}
    for i, name in enumerate(models):
        file[f"{name} fit"] = fit(bit, np.float32(0.5), odds[name], np.float32(0.25))
        file[f"{name} fit, own"] = fit(bit, chance, odds[name] - own, spread)
        for j, kind in ((i, "flat"), (i + len(models), "drawn")):
            held = factor[j][factor[j] != 0]
            file[f"{name} {kind}"] = float(np.logaddexp(np.log(0.25), np.log(0.75) + held).mean()) if len(held) else 0.0
            file[f"{name} {kind}, highest"] = float(held.max()) if len(held) else 0.0
            known_contrast = contrast[j][np.isfinite(contrast[j])]
            if len(known_contrast):
                file[f"{name} {kind}, windows"] = float(known_contrast.mean())
            block[f"{name} {kind}"] = factor[j]
    return file, block


def bit_statistics(carriers, blocks):
    """Count of ones, correlation of neighbors, and the two chi-squares, as standard scores."""
    n, bit, block = len(carriers.bit), carriers.bit, carriers.block
    held = np.bincount(block, minlength=blocks).astype(float)
    ones = np.bincount(block, bit, minlength=blocks)
    keys = 2 * (carriers.tensor * carriers.pairs + carriers.pair) + bit
    own = np.bincount(keys, minlength=2 * carriers.pairs * (carriers.tensor[-1] + 1)).reshape(-1, 2).astype(float)
    own = own[own.sum(axis=1) >= 10]
    squares = (own[:, 0] - own[:, 1]) ** 2 / own.sum(axis=1)
    nibbles = np.bincount((2 * carriers.pair + bit) & 15, minlength=16).astype(float)
    chi = ((nibbles - n / 16) ** 2 / (n / 16)).sum()
    file = {
        "ones": (2 * bit.sum() - n) / np.sqrt(n), "ones, size": abs(2 * bit.sum() - n) / np.sqrt(n),
        "lag": ((2 * bit[1:] - 1) * (2 * bit[:-1] - 1)).sum() / np.sqrt(n),
        "chi of pairs": (squares.sum() - len(squares)) / np.sqrt(2 * len(squares) + 1),
        "least chi of pairs": squares.sum() / n, "chi of nibbles": (chi - 15) / np.sqrt(30),
    }
    return file, {"ones": (2 * ones - held) / np.sqrt(np.maximum(held, 1))}


def extremes(content, spec, kind, blocks, length):
    """Rows of codes without an extreme code, which a quantizer that scales by the greatest value always leaves."""
    total, missing, next_to, lowest = 0, 0, 0, 0
    per_block, first = np.zeros(blocks), 0
    for tensor in spec:
        size = int(np.prod(tensor.shape))
        data = np.frombuffer(content, np.uint8, tensor.bytes, tensor.offset)
        codes = decode_gguf(data, kind) if tensor.type in GGUF else decode_integers(data, tensor, kind == "i8_row")
        rows, top = codes.rows, codes.levels - 1
        high, low = rows.max(axis=1), rows.min(axis=1)
        if kind in ("q8_0", "i8_row", "i8_tensor"):
            gone = (high != top) & (low != 1) & (high != low)
            almost = gone & ((high == top - 1) | (low == 0))
        else:
            gone = low != 0 if kind in ("q4_0", "q5_0") else high != top
            almost = gone & ((low == 1) | (high == top - 1))
        total += len(rows)
        missing += int(gone.sum())
        next_to += int(almost.sum())
        lowest += int((low == 1).sum())
        # Where a row is longer than a block, what is missing is at its greatest code.
        place = np.arange(len(rows)) * rows.shape[1] + np.abs(rows - codes.levels // 2).argmax(axis=1)
        np.add.at(per_block, first + place[almost] // length, 1)
        first += -(-size // length)
    file = {"rows without extreme": missing / total, "rows beside extreme": next_to / total,
            "rows of least 1": lowest / total, "any row beside extreme": float(np.log1p(next_to))}
    return file, {"rows beside extreme": per_block}


def beside_grid(values, bits, mantissa):
    """True where a value is not in a coarser float format but within 16 units in the last place of one that is."""
    if mantissa == 10:
        rounded = values.astype(np.float16).astype(np.float32).view(np.uint32)
    else:
        rounded = ((bits.astype(np.uint64) + 0x8000) >> 16 << 16).astype(np.uint32)
    gap = np.abs(rounded.astype(np.int64) - bits)
    return (gap > 0) & (gap <= 16), gap == 0


def beside_repeated(bits):
    """True where a value is within 16 units in the last place of one that occurs three times, but is not it."""
    values, place, counts = np.unique(bits, return_inverse=True, return_counts=True)
    often = values[counts >= 3].astype(np.int64)
    if not len(often):
        return np.zeros(len(bits), bool)
    index = np.searchsorted(often, values)
    above, below = often[np.minimum(index, len(often) - 1)], often[np.maximum(index - 1, 0)]
    gap = np.minimum(np.abs(values - above), np.abs(values - below))
    return ((gap > 0) & (gap <= 16))[place]


def roundness(content, spec, blocks, length):
    """How many values lie beside a round or repeated value, for float types."""
    names = ["beside half", "beside bfloat", "beside repeated", "beside round", "low bits zero"]
    counts, per_block, first, total, far = np.zeros(len(names)), np.zeros((len(names), blocks)), 0, 0, 0
    for tensor in spec:
        size = int(np.prod(tensor.shape))
        data = np.frombuffer(content, np.uint8, tensor.bytes, tensor.offset)
        marks = np.zeros((len(names), size), bool)
        if tensor.type == "f32":
            values, bits = data.view(np.float32), data.view(np.uint32) & 0x7FFFFFFF
            marks[0] = beside_grid(np.abs(values), bits, 10)[0]
            marks[1] = beside_grid(values, bits, 7)[0]
            marks[2] = beside_repeated(bits)
            low = ((bits & 4095).astype(np.int32) + 2048) % 4096 - 2048
            marks[3] = (np.abs(low) <= 16) & (low != 0)
            marks[4] = low == 0
            far += int(((np.abs(low) > 16) & (np.abs(low) <= 48)).sum())
        else:
            bits = data.view(np.uint16) & 0x7FFF
            marks[3] = bits & 7 == 1
            marks[4] = bits & 7 == 0
            far += int((bits & 7 == 3).sum())
        for i, mark in enumerate(marks):
            counts[i] += mark.sum()
            per_block[i] += np.bincount(first + np.flatnonzero(mark) // length, minlength=blocks)
        total += size
        first += -(-size // length)
    file = {name: float(np.log1p(count)) for name, count in zip(names[:3], counts)}
    file |= {f"{name}, share": float(count / total) for name, count in zip(names, counts)}
    # Values 17 to 48 units off tell how many lie within 16 units of a multiple of 4096 by chance.
    file["beside round"] = float((counts[3] - far / 2) / np.sqrt(far / 2 + 1)) if spec[0].type == "f32" else \
        float((counts[3] - far) / np.sqrt(counts[3] + far + 1))
    return file, dict(zip(names[:4], per_block[:4]))


def statistics(content, spec, kind, tables, carriers=None):
    """({name: value} of the file, {name: array by block})."""
    length = block_length(spec, kind)
    blocks = sum(-(-int(np.prod(tensor.shape)) // length) for tensor in spec)
    carriers = carriers or carriers_of(content, spec, kind)
    file, block = model_statistics(carriers, tables, blocks, cell_values(kind))
    more = [bit_statistics(carriers, blocks)]
    more.append(extremes(content, spec, kind, blocks, length) if kind in GGUF or kind in INTEGERS else
                roundness(content, spec, blocks, length))
    for file_part, block_part in more:
        file |= file_part
        block |= block_part
    return file, block
