#!/usr/bin/env python3
"""How time grows with the number of names in a file: seconds for n, 2n and 4n tensors of one element, and the
ratios, which stay near 2 while every reader and writer is linear.

    tests/bench/many_names.py PROGRAM [N] [NAMES]

N is 20,000 by default. NAMES is a file of 4 * N names, one a line, to read instead of "t0", "t1", ...: such as
collide in the hash of a standard library.
"""
import json
import resource
import struct
import subprocess
import sys
import tempfile
from pathlib import Path


def safetensors(names):
    header = {name: {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i, name in enumerate(names)}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(len(names))


def gguf(names):
    infos = b"".join(
        struct.pack("<Q", len(name)) + name.encode() + struct.pack("<IQIQ", 1, 1, 24, 32 * i)
        for i, name in enumerate(names)
    )
    head = b"GGUF" + struct.pack("<IQQ", 3, len(names), 0) + infos
    return head + bytes(-len(head) % 32) + bytes(32 * len(names))


def seconds(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 4):  # 4: no seal, which is as expected
        sys.exit(f"{command}: {done.stderr.decode()}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    program = str(Path(sys.argv[1]).resolve())
    base = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    names = Path(sys.argv[3]).read_text().split() if len(sys.argv) > 3 else [f"t{i}" for i in range(4 * base)]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        key = work / "k"
        subprocess.run([program, "keygen", key, "--type", "p256", "--no-passphrase"], check=True, capture_output=True)
        for kind, make in (("safetensors", safetensors), ("gguf", gguf)):
            sizes = [base, 2 * base, 4 * base]
            for n in sizes:
                (work / f"{kind}-{n}").write_bytes(make(names[:n]))
            stories = {
                "inspect": lambda n: (program, "inspect", work / f"{kind}-{n}"),
                "check": lambda n: (program, "check", work / f"{kind}-{n}", "--pub", f"{key}.pub", "--require", "seal"),
                "sign": lambda n: (program, "sign", work / f"{kind}-{n}", "-k", f"{key}.key", "-o", work / f"{kind}-{n}.sig"),
                "verify": lambda n: (
                    program, "verify", work / f"{kind}-{n}", "--signature", work / f"{kind}-{n}.sig", "--pub", f"{key}.pub"),
                "diff": lambda n: (program, "diff", work / f"{kind}-{n}", work / f"{kind}-{n}"),
            }
            for verb, command in stories.items():
                times = [seconds(*command(n)) for n in sizes]
                ratios = [after / max(before, 0.01) for before, after in zip(times, times[1:])]
                print(f"{kind:12} {verb:8}", *(f"{n:,}: {t:.2f} s " for n, t in zip(sizes, times)),
                      *(f"x{ratio:.1f}" for ratio in ratios))


main()
