"""Models with one finding each, made, sealed and spoiled with the program, and results of many targets made of theirs."""
import array
import json
import pathlib
import random
import struct
import subprocess

# Names may hold anything but "/", which this one has as U+2215, so that it looks like the end of a script.
HOSTILE = "models/\u202egnp\x1b[31m<\u2215script><img src=x onerror=alert(1)>&\"'.safetensors"


class Program:
    def __init__(self, path, folder):
        self.path, self.folder = path, pathlib.Path(folder)

    def __call__(self, *words, expect=0):
        done = subprocess.run([self.path, *words], cwd=self.folder, capture_output=True, text=True)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"{words}: {done.returncode}, expected {expect}\n{done.stdout}{done.stderr}")
        return done


def weights(count, seed):
    make = random.Random(seed).gauss
    return array.array("f", (make(0, 0.05) for _ in range(count))).tobytes()


def write_safetensors(path, tensors):
    """tensors: name -> (shape, bytes of float32)"""
    head, at = {}, 0
    for name, (shape, data) in tensors.items():
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values()))


def read_safetensors(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + size])
    head.pop("__metadata__", None)
    return {name: (one["shape"], raw[8 + size + one["data_offsets"][0]:8 + size + one["data_offsets"][1]])
            for name, one in head.items()}


def network(seed):
    return {"conv1.weight": ([32, 16, 3, 3], weights(4608, seed)),
            "layer.weight": ([256, 320], weights(81920, seed + 1)),
            "fc.weight": ([10, 320], weights(3200, seed + 2)),
            "fc.bias": ([10], weights(10, seed + 3))}


def flipped(data, elements):
    data = bytearray(data)
    for element in elements:
        data[4 * element + 2] ^= 0x40
    return bytes(data)


def make_models(program):
    """Nine models below models/; their keys and a policy beside it. Returns the paths in the order of a page without a policy."""
    folder = program.folder
    (folder / "models").mkdir()
    program("keygen", "vendor", "--no-passphrase")
    program("keygen", "signer", "--type", "p256", "--no-passphrase")

    def sealed(name, seed, version="2.1"):
        plain, path = folder / "plain", folder / name
        write_safetensors(plain, network(seed))
        program("seal", "plain", "-k", "vendor.key", "-o", name, "--stamp", "name=resnet", "--stamp",
                f"version={version}")
        plain.unlink()
        return path

    def edited(name, seed, edit):
        path = sealed(name, seed)
        tensors = read_safetensors(path)
        edit(tensors)
        write_safetensors(path, tensors)

    def change(tensors):
        shape, data = tensors["layer.weight"]
        tensors["layer.weight"] = (shape, flipped(data, [0, 20_000, 20_001, 70_000]))

    def replace_all(tensors):
        for seed, name in enumerate(("conv1.weight", "layer.weight", "fc.weight")):
            shape, data = tensors[name]
            tensors[name] = (shape, weights(len(data) // 4, 90 + seed))

    edited("models/changed.safetensors", 10, change)
    edited("models/retrained.safetensors", 20, replace_all)
    edited("models/lost.safetensors", 30, lambda tensors: tensors.pop("fc.bias"))
    edited("models/grown.safetensors", 40, lambda tensors: tensors.update({"extra.weight": ([10], weights(10, 1))}))
    sealed("models/cut.safetensors", 50)
    cut = folder / "models/cut.safetensors"
    cut.write_bytes(cut.read_bytes()[:-1000])
    write_safetensors(folder / "models/plain.safetensors", network(60))
    sealed("models/good.safetensors", 70)
    sealed("models/old.safetensors", 71, "1.0")
    sealed("models/h", 72).rename(folder / HOSTILE)
    (folder / "policy.toml").write_text(
        'version = 1\n[[vendor]]\nname = "acme"\nkeys = ["vendor.pub"]\n'
        '[[model]]\nmatch = "old*"\nminimum = { version = "2" }\n'
        '[[model]]\nmatch = "grown*"\naudit = "warn"\n')
    names = ("changed", "grown", "lost", "cut", "plain", "retrained", "good", "old")
    return [f"models/{name}.safetensors" for name in names] + [HOSTILE]


def results_of(program, *options):
    """Lines of results, the first of which is their head."""
    file = program.folder / "one.jsonl"
    file.unlink(missing_ok=True)
    program("check", "models", "--each", "--results", "one.jsonl", "--quiet", *options, expect=None)
    return [json.loads(line) for line in file.read_text().splitlines()]


def multiply(lines, count, path):
    """Results of `count` targets with these findings, of which nine in ten are intact, and a fingerprint's among them."""
    head, *found = lines
    intact = [line for line in found if line["verdict"] == "intact"]
    other = [line for line in found if line["verdict"] != "intact"] + [fingerprint()]
    out = []
    for number in range(count):
        kinds = other if number % 10 == 3 else intact
        line = dict(kinds[number // 10 % len(kinds)])
        line["target"] = f"hub/team-{number % 7}/model-{number:05}/{line['target'].split('/')[-1]}"
        out.append(line)
    head = {**head, "targets": count, "shard_targets": count}
    path.write_text("".join(json.dumps(line) + "\n" for line in [head, *out]))


def fingerprint():
    return {"schema": "modelseal-check/1", "target": "http://serving/v2/models/resnet", "verdict": "tampered",
            "exit_code": 1, "warnings": [],
            "checks": [{"kind": "fingerprint", "expected": True, "outcome": "tampered", "method": "pairs",
                        "access": "logits", "pairs": 150, "mismatched": 147, "threshold": 1,
                        "false_alarm_bound": 1e-6, "rung": "fp32", "detail": "", "shift": 7e-4, "queries": 600,
                        "rungs": [{"name": "exact", "pairs": 150, "told": 150, "mismatched": 150, "flipped": 149,
                                   "untold": 0, "noise": 0.0, "floor": 0.0},
                                  {"name": "fp32", "pairs": 150, "told": 150, "mismatched": 147, "flipped": 140,
                                   "untold": 0, "noise": 4e-5, "floor": 3e-4}],
                        "id": "0123456789abcdef", "model": "resnet", "customer": "acme",
                        "vendor_key": "9bab6cfb34c388b9", "created": "2026-11-21T00:00:00Z"}]}
