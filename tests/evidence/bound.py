"""How many weights a seal changes, by size and type, beside the bound; and how often its customer is named (bound.sh)."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy

BLOCK = 8192  # elements that are overwritten together
TYPES = {"f32": ("F32", 4), "bf16": ("BF16", 2), "i8": ("I8", 1)}


def values(generator, count, kind):
    noise = generator.normal(0, 0.03, count).astype(numpy.float32)
    if kind == "bf16":
        return (noise.view(numpy.uint32) >> 16).astype(numpy.uint16)
    return numpy.clip(numpy.round(noise * 1200), -127, 127).astype(numpy.int8) if kind == "i8" else noise


def write_model(path, generator, elements, kind):
    """Square matrices, at most 48 of them: as many as leave each 1,000 weights or more."""
    layers = max(1, min(48, elements // 20_000))
    side = max(1, int((elements / layers) ** 0.5))
    spelled, width = TYPES[kind]
    header, at = {}, 0
    for i in range(layers):
        header[f"layers.{i}.weight"] = {"dtype": spelled, "shape": [side, side], "data_offsets": [at, at + side * side * width]}
        at += side * side * width
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(layers):
            left = side * side
            while left > 0:
                part = min(left, 1 << 24)
                file.write(values(generator, part, kind).tobytes())
                left -= part
    return layers * side * side, 8 + len(text)


def overwrite(path, generator, start, kind):
    """Nine blocks in ten become other weights."""
    width = TYPES[kind][1]
    content = numpy.memmap(path, numpy.uint8, "r+", start)
    blocks = -(-len(content) // (BLOCK * width))
    for block in generator.permutation(blocks)[:blocks * 9 // 10]:
        target = content[block * BLOCK * width:(block + 1) * BLOCK * width]
        target[:] = numpy.frombuffer(values(generator, BLOCK, kind).tobytes(), numpy.uint8)[:len(target)]
    content.flush()


def most(elements, kind):
    """modelseal-seal(5), "How many values change"."""
    few, cells = {"f32": (16384, 65536), "bf16": (9216, 16128), "i8": (9216, 16128)}[kind]
    return max(elements // 50, few, min(cells, elements * 3 // 10))


def main():
    program, tries, sizes = sys.argv[1], int(sys.argv[2]), [int(float(size)) for size in sys.argv[3:]]
    generator = numpy.random.default_rng(1)
    print("| type | weights | changed | share | bound | cells | named where 9 blocks in 10 were overwritten |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = pathlib.Path(name)

        def run(*arguments):
            return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)

        run("keygen", "vendor", "--no-passphrase")
        run("customer", "add", "acme", "--ledger", "sales.ledger", "-k", "vendor.key", "-o", "acme.check")
        for kind in TYPES:
            for size in sizes:
                elements, start = write_model(folder / "model", generator, size, kind)
                (folder / "sealed").unlink(missing_ok=True)
                done = run("seal", "model", "-o", "sealed", "-k", "vendor.key", "--for", "acme.check", "--json")
                if done.returncode != 0:
                    print(f"| {kind} | {elements:,} | refused: {done.stderr.splitlines()[0].split('model: ')[-1]} | | | | |", flush=True)
                    continue
                seal, named = json.loads(done.stdout), 0
                sealed = (folder / "sealed").read_bytes() if elements < 20_000_000 else b""
                asked = tries if sealed else 0
                for _ in range(asked):
                    (folder / "leaked").write_bytes(sealed)
                    overwrite(folder / "leaked", generator, start, kind)
                    traced = run("customer", "trace", "leaked", "--ledger", "sales.ledger", "-k", "vendor.key")
                    named += "acme" in traced.stdout
                changed = seal["changed_elements"]
                print(f"| {kind} | {elements:,} | {changed:,} | {100 * changed / elements:.2f} % | {most(elements, kind):,} | {seal['cells']} | "
                      f"{f'{named} of {asked}' if asked else '-'} |", flush=True)


main()
