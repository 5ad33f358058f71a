#!/usr/bin/env python3
"""Can a stranger tell a customer's seal from none? A detector that knows the construction but not the key.

    trace.py --program MODELSEAL --data MODELS --work FOLDER --output FOLDER
             [--nets 64] [--keys 3] [--types f32,q8_0] [--label v1]
    trace.py --selftest --work FOLDER

Writes LABEL.md and LABEL.json to the output folder. trace.sh runs it with the packages that it needs.
"""
import argparse
import json
import multiprocessing
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

import trace_casts
import trace_codes
import trace_nets
import trace_stats
import trace_test

REFUSED = 3
BLOCKS = 16  # of a copy, at most, in the test of blocks
HEADINGS = ["type", "statistic", "single", "regression", "TPR", "control", "blocks: single", "blocks: regression",
            "nets / copies", "refused"]


def run(*command):
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)


def make_keys(program, folder, count):
    """A vendor's key and the check keys of `count` customers."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    made = [run(program, "keygen", folder / "vendor", "--no-passphrase")]
    for i in range(count):
        made.append(run(program, "keygen", folder / f"customer{i}", "--type", "check", "-k", folder / "vendor.key"))
    if any(each.returncode for each in made):
        sys.exit("trace.py: cannot make keys: " + made[-1].stderr)


class Sealer:
    """Seals with the program, under each of the keys in turn."""

    def __init__(self, program, keys, count):
        self.program, self.keys, self.count = program, keys, count

    def __call__(self, path, i):
        """The sealed bytes, or None if the program refuses."""
        out = path.with_name(path.name + ".sealed")
        made = run(self.program, "seal", path, "-k", self.keys / "vendor.key",
                   "--for", self.keys / f"customer{i}.check", "-o", out, "--jobs", "1", "--quiet")
        if made.returncode == REFUSED:
            return None
        if made.returncode:
            raise RuntimeError(f"{path}: {made.stderr}")
        content = out.read_bytes()
        out.unlink()
        return content


def block_rows(plain, sealed, marked, rng):
    """Statistics of marked blocks, and of the same blocks unmarked."""
    picks = rng.permutation(marked)[:BLOCKS]
    return np.array([[side[name][b] for name in side] for side in (sealed, plain) for b in picks])


def measure(kind, nets, sealer, folder):
    """Seals every network and takes all statistics. Returns arrays by file and by block, and what was refused."""
    files, refused, kept, counts = [], [], [], []
    for net in nets:
        path, spec = trace_casts.write(net, kind, folder)
        copies = [sealer(path, i) for i in range(sealer.count)]
        plain = path.read_bytes()
        path.unlink()
        if any(copy is None for copy in copies):
            refused.append(net.name)
            continue
        kept.append(net)
        files.append((spec, [plain, *copies]))
        counts.append(trace_stats.count(trace_codes.carriers_of(plain, spec, kind)))
    fold = trace_test.folds_of([net.family for net in kept])
    rows, blocks, rng = [], [], np.random.default_rng(7)
    for i, (spec, contents) in enumerate(files):
        tables = trace_stats.learn([each for each, f in zip(counts, fold) if f != fold[i]])
        seen = [trace_stats.statistics(content, spec, kind, tables) for content in contents]
        rows += [(i, j > 0, file) for j, (file, _) in enumerate(seen)]
        for content, (_, block) in zip(contents[1:], seen[1:]):
            found = block_rows(seen[0][1], block, trace_codes.changed_blocks(contents[0], content, spec, kind), rng)
            blocks.append((i, found))
    return {"kept": kept, "refused": refused, "fold": fold, "rows": rows, "blocks": blocks,
            "block names": list(seen[0][1]) if files else []}


def columns(rows):
    """The statistics as a matrix, without those that some file lacks or that never differ."""
    names = [name for name in rows[0][2] if all(name in row[2] for row in rows)]
    x = np.nan_to_num(np.array([[row[2][name] for name in names] for row in rows]), posinf=1e9, neginf=-1e9)
    varied = np.ptp(x, axis=0) > 0
    return x[:, varied], [name for name, keep in zip(names, varied) if keep]


def judge_files(found, chosen, rng):
    """The verdict on the files of some of the networks."""
    rows = [row for row in found["rows"] if row[0] in chosen]
    x, names = columns(rows)
    net = np.array([row[0] for row in rows])
    label = np.array([row[1] for row in rows])
    fold = trace_test.folds_of([found["kept"][i].family for i in sorted(chosen)])
    by_net = dict(zip(sorted(chosen), fold))
    fold = np.array([by_net[i] for i in net])
    verdict = trace_test.judge(x, names, label, net, fold, rng)
    verdict["control"] = trace_test.control(x[~label], net[~label], fold[~label], rng)
    kinds = [found["kept"][i].kind for i in chosen]
    return verdict | {"nets": len(chosen), "copies": int(label.sum()),
                      "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))}}


def judge_blocks(found, rng):
    blocks = [(i, each) for i, each in found["blocks"] if len(each)]
    x = np.nan_to_num(np.concatenate([each for _, each in blocks]), posinf=1e9, neginf=-1e9)
    label = np.concatenate([np.arange(len(each)) < len(each) // 2 for _, each in blocks])
    net = np.concatenate([np.full(len(each), i) for i, each in blocks])
    varied = np.ptp(x, axis=0) > 0
    names = [name for name, keep in zip(found["block names"], varied) if keep]
    return trace_test.judge(x[:, varied], names, label, net, found["fold"][net], rng) | {"blocks": int(label.sum())}


def run_type(job):
    """All verdicts on one type; runs in a process of its own."""
    kind, arguments, keys = job
    began = time.monotonic()
    nets = trace_nets.choose(arguments.program, arguments.data, arguments.nets, kind != "f32")
    folder = arguments.work / kind
    folder.mkdir(parents=True, exist_ok=True)
    found = measure(kind, nets, Sealer(arguments.program, keys, arguments.keys), folder)
    shutil.rmtree(folder)
    result = {"type": kind, "refused": len(found["refused"]), "refused nets": found["refused"]}
    rng = np.random.default_rng(11)
    if len(found["kept"]) >= 4:
        everything = set(range(len(found["kept"])))
        noise = {i for i in everything if trace_nets.is_noise(found["kept"][i])}
        result["files"] = judge_files(found, everything, rng)
        result["blocks"] = judge_blocks(found, rng)
        if kind in ("f32", "f16", "bf16") and 4 <= len(noise) < len(everything):
            result["noise"] = judge_files(found, noise, rng)
    result["seconds"] = round(time.monotonic() - began)
    print(f"{kind}: {result['seconds']} s", file=sys.stderr, flush=True)
    return result


def show(summary):
    low, high = summary["interval"]
    return f"{summary['auc']:.3f} [{low:.2f}, {high:.2f}]"


def table_row(name, files, blocks, refused):
    nets = f"{files['nets']} / {files['copies']}"
    at_blocks = f"{show(blocks['single'])} | {show(blocks['joint'])}" if blocks else " | "
    tpr = f"{files['single']['tpr']:.2f} / {files['joint']['tpr']:.2f}"
    return (f"| {name} | {files['chosen'][0]} | {show(files['single'])} | {show(files['joint'])} | {tpr} | "
            f"{show(files['control'])} | {at_blocks} | {nets} | {refused} |")


def write_table(results, path, arguments):
    lines = [
        f"# Traces of a customer's seal: {arguments.label}", "",
        f"{arguments.nets} networks, {arguments.keys} keys. One file is seen alone, without a key. AUC [95 % over",
        "networks]; whole families of networks are held out (8 folds), and the best single statistic is chosen",
        "without them. TPR: above all unsealed files, single / regression. Control: unsealed files, a random half of",
        "them labeled sealed. Blocks: a marked block against the same block unmarked.", "",
        "| " + " | ".join(HEADINGS) + " |", "| --- " * len(HEADINGS) + "|",
    ]
    for result in results:
        if "files" not in result:
            lines.append(f"| {result['type']} " + "| " * (len(HEADINGS) - 2) + f"| {result['refused']} |")
            continue
        lines.append(table_row(result["type"], result["files"], result["blocks"], result["refused"]))
        if "noise" in result:
            lines.append(table_row(result["type"] + ", noise alone", result["noise"], None, ""))
    most = max((each["files"] for each in results if "files" in each), key=lambda files: files["nets"], default=None)
    if most:
        kinds = ", ".join(f"{count} {kind}" for kind, count in most["kinds"].items())
        lines += ["", f"Networks of the fullest row: {kinds}."]
    path.write_text("\n".join(lines) + "\n")


def plant(path, i, share=1.0):
    """Stands in for the program in the self-test: fair coins in a window of each block of an int8 file."""
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(i + len(content))
    head = 8 + int.from_bytes(content[:8], "little")
    values = np.frombuffer(content, np.uint8)[head:]
    if share:
        for first in range(0, len(values) - 1024, 2048):
            start = first + int(rng.integers(0, 1024))
            window = values[start:start + 1024]
            window[:] = window & 0xFE | rng.integers(0, 2, len(window))
    return bytes(content)


def selftest(work):
    """A planted mark is found, and nothing is found where nothing was planted."""
    nets = [trace_nets.synthetic(4 * i + 1) for i in range(24)]  # Laplace: a steep histogram
    work.mkdir(parents=True, exist_ok=True)
    for share, low, high in ((1.0, 0.95, 1.0), (0.0, 0.4, 0.6)):
        def sealer(path, i, share=share):
            return plant(path, i, share)
        sealer.count = 2
        found = measure("i8_tensor", nets, sealer, work)
        verdict = judge_files(found, set(range(len(nets))), np.random.default_rng(1))
        print(f"planted {share}: AUC {show(verdict['joint'])}, control {show(verdict['control'])}")
        if not low <= verdict["joint"]["auc"] <= high or not 0.4 <= verdict["control"]["auc"] <= 0.6:
            sys.exit("trace.py: the self-test fails")
    shutil.rmtree(work)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--nets", type=int, default=64)
    parser.add_argument("--keys", type=int, default=3)
    parser.add_argument("--types", default=",".join(trace_casts.TYPES))
    parser.add_argument("--label", default="trace")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--selftest", action="store_true")
    arguments = parser.parse_args()
    if arguments.selftest:
        return selftest(arguments.work / "selftest")
    keys = arguments.work / "keys"
    make_keys(arguments.program, keys, arguments.keys)
    jobs = [(kind, arguments, keys) for kind in arguments.types.split(",")]
    arguments.output.mkdir(parents=True, exist_ok=True)
    results = []
    with multiprocessing.Pool(arguments.jobs, maxtasksperchild=1) as pool:
        for result in pool.imap(run_type, jobs):
            # Written again for each type, so that a run that is stopped leaves what it has.
            results.append(result)
            (arguments.output / f"{arguments.label}.json").write_text(json.dumps(results, indent=1) + "\n")
            write_table(results, arguments.output / f"{arguments.label}.md", arguments)
    print((arguments.output / f"{arguments.label}.md").read_text())
    return None


if __name__ == "__main__":
    main()
