"""Models to measure with: Gaussian float32 weights in safetensors, in one file or many."""
import array
import json
import random

SEED = 1
NOISE = 1 << 20  # values
TENSOR = 64 << 20  # bytes of a tensor at most


class Noise:
    """No two stretches alike, and cheap: the same numbers from another place on."""

    def __init__(self, seed=SEED):
        self.random = random.Random(seed)
        self.bytes = memoryview(array.array("f", (self.random.gauss(0, 0.02) for _ in range(NOISE))).tobytes())

    def write(self, file, count):
        while count > 0:
            part = min(count, len(self.bytes) // 2)
            begin = 4 * self.random.randrange(NOISE // 2)
            file.write(self.bytes[begin:begin + part])
            count -= part


def header(count, prefix):
    tensors, begin = {}, 0
    while begin < count:
        end = min(count, begin + TENSOR)
        tensors[f"{prefix}.{len(tensors)}.weight"] = {"dtype": "F32", "shape": [(end - begin) // 4], "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(tensors, separators=(",", ":")).encode()
    return len(text).to_bytes(8, "little") + text, list(tensors)


def write_model(path, count, noise, prefix="layers"):
    """About `count` bytes; returns the names of the tensors."""
    count -= count % 4
    head, names = header(count, prefix)
    with open(path, "wb") as file:
        file.write(head)
        if noise is None:  # sparse: holes, for what only hashes
            file.truncate(len(head) + count)
        else:
            noise.write(file, count)
    return names


def write_folder(folder, files, count, noise):
    """A model of `count` bytes in `files` shards, with their index."""
    folder.mkdir()
    places = {}
    for i in range(1, files + 1):
        name = f"model-{i:05}-of-{files:05}.safetensors"
        for tensor in write_model(folder / name, count // files, noise, f"part{i}"):
            places[tensor] = name
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def files_of(path):
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
