"""Networks for trace.py: published ones, cut into parts where they are large, and synthetic ones.

A network is a list of float32 tensors. Published files are read with the program's own `inspect --json`, which places
the tensors of every format that it knows.
"""
import dataclasses
import hashlib
import json
import pathlib
import subprocess

import numpy as np

LEAST = 50_000  # elements of a network
PART = 130_000  # elements of a part of a large network, about
WHOLE = 300_000  # up to here a network stays whole


@dataclasses.dataclass
class Net:
    name: str
    family: str  # parts of one published file are one family: they are never split between training and test
    kind: str  # "published", "part" or "synthetic"
    half: bool  # stored as float16, so not a float32 network of full precision
    tensors: list  # (name, float32 array)

    def size(self):
        return sum(values.size for _, values in self.tensors)


def read_tensors(program, path):
    """The float tensors of a model file, without those of an optimizer."""
    run = subprocess.run([program, "inspect", str(path), "--json", "--quiet"], capture_output=True, check=False)
    try:
        model = json.loads(run.stdout)
    except ValueError:
        return []
    tensors = []
    for entry in model.get("tensors", []) if model.get("kind") == "model" else []:
        kind = {"f32": np.float32, "f16": np.float16}.get(entry["dtype"])
        # A tensor of a typed field or a compressed member has no place of its own.
        if kind is None or "optimizer" in entry["name"] or entry.get("offset") is None:
            continue
        source = path.parent / entry["file"] if entry["file"] else path
        count = entry["bytes"] // np.dtype(kind).itemsize
        values = np.fromfile(source, kind, count, offset=entry["offset"])
        if values.size == int(np.prod(entry["shape"])) and np.isfinite(values).all():
            tensors.append((entry["name"], values.reshape(entry["shape"])))
    return tensors


def is_new(seen, values):
    """False for a copy of a tensor that another file, or this one, has given already."""
    digest = hashlib.sha256(values.astype(np.float32).tobytes()).digest()
    if digest in seen:
        return False
    seen.add(digest)
    return True


def cut(tensors):
    """Disjoint parts of about PART elements; a tensor that is larger by itself is cut between its rows."""
    pieces = []
    for name, values in tensors:
        parts = max(1, min(round(values.size / PART), values.shape[0] if values.ndim > 1 else 1))
        pieces += [(f"{name}.{i}" if parts > 1 else name, piece) for i, piece in
                   enumerate(np.array_split(values, parts) if parts > 1 else [values])]
    groups, group, size = [], [], 0
    for name, piece in pieces:
        group.append((name, piece))
        size += piece.size
        if size >= 0.8 * PART:
            groups.append(group)
            group, size = [], 0
    if size >= LEAST or not groups:
        groups.append(group)
    return groups


def published(program, folder):
    nets, seen = [], set()
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if not path.is_file() or path.stat().st_size < 4 * LEAST // 2:
            continue
        tensors = [(name, values) for name, values in read_tensors(program, path)
                   if values.ndim > 0 and (values.size < 64 or is_new(seen, values))]
        size = sum(values.size for _, values in tensors)
        if size < LEAST:
            continue
        half = any(values.dtype == np.float16 for _, values in tensors)
        groups = [tensors] if size <= WHOLE else cut(tensors)
        for i, group in enumerate(groups):
            name = path.stem.replace(" ", "_") + path.suffix.replace(".", "-") + (f"-{i}" if len(groups) > 1 else "")
            if sum(values.size for _, values in group) >= LEAST:
                nets.append(Net(name, path.name, "part" if len(groups) > 1 else "published", half,
                                [(n, np.ascontiguousarray(v, np.float32)) for n, v in group]))
    return nets


LAWS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "laplace": lambda rng, n: rng.laplace(size=n) / np.sqrt(2),
    "student": lambda rng, n: rng.standard_t(5, n) / np.sqrt(5 / 3),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n) * np.sqrt(3),
}


def synthetic(index):
    """Convolutions and linear layers with weights of one law, a scale for each layer and one for each channel."""
    rng = np.random.default_rng(1000 + index)
    law = list(LAWS)[index % len(LAWS)]
    target = int(np.exp(rng.uniform(np.log(60_000), np.log(400_000))))
    tensors, size, channels, layer = [], 0, int(rng.choice([16, 24, 32])), 0
    while size < target:
        wider = min(channels * int(rng.choice([1, 2])), 128)
        kernel = int(rng.choice([1, 3, 3]))
        shape = (wider, channels, kernel, kernel) if layer % 4 != 3 else (wider * 2, channels * 2)
        fan = int(np.prod(shape[1:]))
        spread = np.exp(0.25 * rng.standard_normal((shape[0], 1)) + 0.3 * rng.standard_normal())
        weights = LAWS[law](rng, int(np.prod(shape))).reshape(shape[0], fan) * spread * np.sqrt(2 / fan)
        tensors.append((f"layer{layer:02}.weight", weights.reshape(shape).astype(np.float32)))
        tensors.append((f"layer{layer:02}.bias", (0.05 * rng.standard_normal(shape[0])).astype(np.float32)))
        size += weights.size
        channels, layer = wider, layer + 1
    return Net(f"synthetic-{law}-{index:02}", f"synthetic-{index}", "synthetic", False, tensors)


def choose(program, folder, count, halves):
    """`count` networks: the published ones first, then synthetic ones. `halves`: those stored as float16 as well."""
    nets = [net for net in published(program, folder) if halves or not net.half]
    synthetics = [synthetic(i) for i in range(max(count - len(nets), 16 if count >= 60 else count // 2))]
    if len(nets) + len(synthetics) > count and count < 60:
        picks = np.linspace(0, len(nets) - 1, count - len(synthetics)).round().astype(int)
        nets = [nets[i] for i in sorted(set(picks.tolist()))]
    return nets + synthetics


def is_noise(net):
    """True if no larger tensor has structure in its low bits: even nibbles, few round values, few duplicates."""
    for _, values in net.tensors:
        bits = values.view(np.uint32).reshape(-1) & 0x7FFFFFFF
        bits = bits[bits != 0]
        if values.size < 384 or not len(bits):
            continue
        nibbles = np.bincount(bits & 15, minlength=16)
        chi = ((nibbles - len(bits) / 16) ** 2 / (len(bits) / 16)).sum()
        near = (((bits & 4095).astype(np.int32) + 16) % 4096 <= 32).mean()
        if (chi - 15) / np.sqrt(30) > 6 or near > 0.06 or 1 - len(np.unique(bits)) / len(bits) > 0.1:
            return False
    return True
