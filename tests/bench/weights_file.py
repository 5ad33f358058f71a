"""The float32 tensors of a model file, changed where they lie; every other byte stays. And wavelet packets of them."""
import json

import numpy as np

from measuring import must


class WeightsFile:
    def __init__(self, program, path):
        model = json.loads(must([program, "inspect", path, "--json"]))
        self.bytes = bytearray(path.read_bytes())
        self.tensors = {}
        for tensor in model["tensors"]:
            if tensor["dtype"] == "f32" and tensor.get("offset") is not None and tensor["bytes"]:
                self.tensors[tensor["name"]] = np.frombuffer(self.bytes, "<f4", tensor["bytes"] // 4, tensor["offset"])
        self.matrices = [t["name"] for t in model["tensors"] if t["name"] in self.tensors and len(t["shape"]) >= 2]
        self.vectors = [name for name in self.tensors if name not in self.matrices]
        self.original = bytes(self.bytes)

    def undo(self):
        self.bytes[:] = self.original

    def save(self, path):
        path.write_bytes(self.bytes)
        return path

    def draw(self, random, names=None):
        """(tensor, index) of a weight, each equally likely."""
        names = list(names or self.tensors)
        ends = np.cumsum([self.tensors[name].size for name in names])
        number = int(random.integers(ends[-1]))
        which = int(np.searchsorted(ends, number, side="right"))
        return self.tensors[names[which]], number - (int(ends[which - 1]) if which else 0)

    def largest(self, count):
        return sorted(self.matrices, key=lambda name: -self.tensors[name].size)[:count]

    def norm_of_change(self, before):
        """In % of the norm of the weights of all matrices."""
        change = sum(float(np.sum((self.tensors[n].astype(float) - before.tensors[n]) ** 2)) for n in self.matrices)
        norm = sum(float(np.sum(before.tensors[n].astype(float) ** 2)) for n in self.matrices)
        return 100 * (change / norm) ** 0.5


BANDS = 32
ROWS = 12_000 // BANDS  # of a transform, at most
LOW = np.array([0.482962913144534143, 0.836516303737807906, 0.224143868042013381, -0.129409522551260381])
HIGH = np.array([LOW[3], -LOW[2], LOW[1], -LOW[0]])


def split(values, taps):
    return sum(taps[m] * np.roll(values, 1 - m)[::2] for m in range(4))


def decompose(values, levels=5):
    """Periodic db2 packets in natural order: bands 1-16 are the first half of what comes out."""
    if levels == 0:
        return values
    return np.concatenate([decompose(split(values, taps), levels - 1) for taps in (LOW, HIGH)])


def reconstruct(coefficients, levels=5):
    if levels == 0:
        return coefficients
    values = np.zeros(coefficients.size)
    for half, taps in zip(np.split(coefficients, 2), (LOW, HIGH), strict=True):
        spread = np.zeros(coefficients.size)
        spread[::2] = reconstruct(half, levels - 1)
        values += sum(taps[m] * np.roll(spread, m - 1) for m in range(4))
    return values


def transforms(count):
    """The slices into which the deepisign scheme cuts a layer of `count` weights."""
    rows = count // BANDS
    each, longer = divmod(rows, -(-rows // ROWS) or 1)
    begin = 0
    for i in range(-(-rows // ROWS)):
        size = BANDS * (each + (i < longer))
        yield slice(begin, begin + size)
        begin += size


def change_lower_bands(tensor, relative, random):
    """Noise of `relative` times the norm in bands 1-16; bands 17-32 stay."""
    for part in transforms(tensor.size):
        coefficients = decompose(tensor[part].astype(float))
        half = coefficients.size // 2
        coefficients[:half] += random.normal(0, relative * np.linalg.norm(coefficients) / half ** 0.5, half)
        tensor[part] = reconstruct(coefficients)
