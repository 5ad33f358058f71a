"""Sealing, checking, signing and verifying beside other programs on the same files in the same run."""
import dataclasses
import math
import pathlib
import shutil
import sys

import measuring
import rendering
import workloads
from measuring import Failed, must
from rendering import Column, size_text

HERE = pathlib.Path(__file__).resolve().parent


PEER, LIMIT = "openssl dgst -sha256", "SHA-256, all processors"


@dataclasses.dataclass
class Operation:
    name: str
    command: list
    clear: pathlib.Path = None  # removed before each run


class Keys:
    def __init__(self, folder, program, reference):
        self.vendor, self.signer = folder / "v", folder / "s"
        must([program, "keygen", self.vendor, "--no-passphrase"])
        must([program, "keygen", self.signer, "--type", "p256", "--no-passphrase"])
        self.minisign = self.age = None
        if shutil.which("minisign"):
            self.minisign = folder / "minisign"
            must(["minisign", "-G", "-W", "-p", f"{self.minisign}.pub", "-s", f"{self.minisign}.key"])
        if shutil.which("age-keygen"):
            self.age = folder / "age.key"
            must(["age-keygen", "-o", self.age])
            self.recipient = must(["age-keygen", "-y", self.age]).strip()
        self.reference = reference


def peers(model, work, keys):
    """Programs that are here; `model` is in the page cache."""
    files = workloads.files_of(model)
    threads = measuring.processors()
    yield Operation(PEER, ["openssl", "dgst", "-sha256", *files])
    yield Operation("sha256sum", ["sha256sum", *files])
    if shutil.which("b3sum"):
        yield Operation("b3sum", ["b3sum", *files])
        yield Operation("b3sum, 1 thread", ["b3sum", "--num-threads", "1", *files])
    yield Operation(LIMIT, [sys.executable, HERE / "hash_all.py", threads, *files])
    yield Operation("cat, from the page cache", ["cat", *files])
    yield Operation("cp", ["cp", "-r", model, work / "copy"], clear=work / "copy")
    if keys.minisign and len(files) == 1:
        must(["minisign", "-S", "-W", "-s", f"{keys.minisign}.key", "-m", files[0], "-x", work / "m.minisig"])
        yield Operation("minisign -S", ["minisign", "-S", "-W", "-s", f"{keys.minisign}.key", "-m", files[0], "-x", work / "n.minisig"])
        yield Operation("minisign -V", ["minisign", "-V", "-p", f"{keys.minisign}.pub", "-m", files[0], "-x", work / "m.minisig"])
    if keys.age and len(files) == 1:
        yield Operation("age, encrypt", ["age", "-r", keys.recipient, "-o", work / "a.age", files[0]], clear=work / "a.age")
    if keys.reference:
        reference = [keys.reference, "-m", "model_signing"]
        must([*reference, "sign", "key", model, "--private_key", f"{keys.signer}.key", "--signature", work / "r.sig"])
        yield Operation("model-signing sign", [*reference, "sign", "key", model, "--private_key", f"{keys.signer}.key",
                                               "--signature", work / "t.sig"])
        yield Operation("model-signing verify", [*reference, "verify", "key", model, "--signature", work / "r.sig",
                                                 "--public_key", f"{keys.signer}.pub"])


def ours(program, plain, sealed, work, keys):
    signature = work / "sealed.sig"
    must([program, "sign", sealed, "-k", f"{keys.signer}.key", "-o", signature])
    check = [program, "check", sealed, "--pub", f"{keys.vendor}.pub"]
    yield Operation("modelseal seal", [program, "seal", plain, "-k", f"{keys.vendor}.key", "-o", work / "out"], clear=work / "out")
    yield Operation("modelseal check", check)
    yield Operation("modelseal check, 1 thread", [*check, "--jobs", "1"])
    yield Operation("modelseal sign", [program, "sign", sealed, "-k", f"{keys.signer}.key", "-o", work / "other.sig"])
    yield Operation("modelseal verify", [program, "verify", sealed, "--signature", signature, "--pub", f"{keys.signer}.pub"])
    yield Operation("modelseal check, seal and signature", [*check, "--signer", f"{keys.signer}.pub", "--signature", signature])


def remove(path):
    if path is None or not path.exists():
        return
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def measure(operations, rounds):
    """Each once a round, so that a machine that slows down slows all of them."""
    costs = {operation.name: [] for operation in operations}
    for _ in range(rounds):
        for operation in operations:
            remove(operation.clear)
            cost = measuring.run(operation.command)
            if cost.code != 0:
                raise Failed(f"{operation.name}: exit {cost.code}: {cost.said}")
            costs[operation.name].append(cost)
    for operation in operations:
        remove(operation.clear)
    return {name: measuring.median_cost(list_) for name, list_ in costs.items()}


def rows_of(costs, count):
    """Rates, and two ratios: of processor time to openssl's, and of the rate to that of all processors hashing."""
    peer, limit = costs[PEER], costs.get(LIMIT)
    for name, cost in costs.items():
        yield {"name": name, "seconds": round(cost.wall, 4), "cpu_seconds": round(cost.cpu, 4),
               "gb_per_s": round(count / 1e9 / cost.wall, 3), "cpu_to_openssl": round(cost.cpu / max(peer.cpu, 1e-9), 3),
               "share_of_limit": round(limit.wall / cost.wall, 3) if limit else None,
               "peak_mib": round(cost.peak / (1 << 20), 1) if cost.peak else None}


COLUMNS = [Column("name", "what"), Column("seconds", "seconds", "{:.3f}"), Column("gb_per_s", "GB/s", "{:.2f}"),
           Column("cpu_seconds", "CPU seconds", "{:.3f}"), Column("cpu_to_openssl", "CPU / openssl", "{:.2f}"),
           Column("share_of_limit", "share of the limit", "{:.2f}"), Column("peak_mib", "peak MiB", "{:.0f}")]

# What no machine should exceed: processor time in units of openssl's, beyond the seconds that do not depend on the size; and memory.
BOUNDS = {"modelseal check": (4, 1), "modelseal verify": (2, 1), "modelseal sign": (4, 1), "modelseal seal": (16, 10)}
BOUND_PEAK_MIB = 300


def broken_bounds(rows):
    names = {row["name"] for row in rows}
    for name in BOUNDS:
        if name not in names:
            yield f"{name}: not measured"
    peer = next(row["cpu_seconds"] for row in rows if row["name"] == PEER)
    for row in rows:
        times, seconds = BOUNDS.get(row["name"], (None, None))
        if times and row["cpu_seconds"] > times * peer + seconds:
            yield f"{row['name']}: {row['cpu_seconds']} s of processor time, {peer} s of openssl: at most {times} times as much is fine"
        if row["name"].startswith("modelseal") and (row["peak_mib"] or 0) > BOUND_PEAK_MIB:
            yield f"{row['name']}: {row['peak_mib']} MiB of memory, at most {BOUND_PEAK_MIB} is fine"


def missing_peers(options, keys):
    if options.table != "throughput":
        return []
    found = {"b3sum": shutil.which("b3sum"), "minisign": keys.minisign, "age": keys.age, "model-signing": keys.reference}
    return [name for name, there in found.items() if not there]


def versions(program, reference):
    asked = {"modelseal": [program, "--version"], "openssl": ["openssl", "version"], "sha256sum": ["sha256sum", "--version"],
             "b3sum": ["b3sum", "--version"], "minisign": ["minisign", "-v"], "age": ["age", "--version"],
             "model-signing": [reference or "no-reference", "-m", "model_signing", "--version"]}
    return {name: line for name, command in asked.items() if (line := measuring.first_line(command))}


def head_of(options, keys, notes):
    notes = [options.note, *notes] if options.note else notes
    return {"made": rendering.today(), "command": options.command_line, "machine": options.machine, "seed": workloads.SEED,
            "rounds": options.rounds, "versions": versions(options.program, keys.reference), "missing": missing_peers(options, keys),
            "notes": notes}


EXPLAINED = ("Median of {rounds} rounds, in each of which every row ran once; files in the page cache. *CPU / openssl* is processor time "
             "(user and system) over that of `openssl dgst`, which other work on the machine disturbs least; *the limit* is the rate at "
             "which all processors together compute SHA-256 of the same bytes.")


def throughput(options, work):
    """One table for each workload; returns what is out of bounds."""
    keys = Keys(work, options.program, options.reference)
    noise = workloads.Noise()
    wrong = []
    for name, files, count in (("one-file", 1, options.size), ("small-files", options.files, options.files * options.file_size),
                               ("shards", options.shards, options.size)):
        folder = work / name
        folder.mkdir()
        plain = folder / ("model.safetensors" if files == 1 else "model")
        workloads.write_model(plain, count, noise) if files == 1 else workloads.write_folder(plain, files, count, noise)
        sealed = folder / ("sealed.safetensors" if files == 1 else "sealed")
        must([options.program, "seal", plain, "-k", f"{keys.vendor}.key", "-o", sealed])
        measuring.run(["cat", *workloads.files_of(sealed)])  # into the page cache
        operations = [*peers(sealed, folder, keys), *ours(options.program, plain, sealed, folder, keys)]
        rows = list(rows_of(measure(operations, options.rounds), sum(p.stat().st_size for p in workloads.files_of(sealed))))
        notes = [f"{files} file{'s' if files > 1 else ''}, {size_text(count)} together. " + EXPLAINED.format(rounds=options.rounds)]
        figures = [("cpu", rendering.bars(rows, "cpu_to_openssl", f"Processor time, {name}", "times that of openssl dgst -sha256"))]
        rendering.write(options.output, f"throughput-{name}", f"Throughput: {name}", head_of(options, keys, notes), COLUMNS, rows, figures)
        wrong += [f"{name}: {line}" for line in broken_bounds(rows)]
        shutil.rmtree(folder)
    return wrong


SCALED = [PEER, "modelseal check", "modelseal verify", "modelseal sign"]


def scaling(options, work):
    """Rates and memory from the smallest to the largest size; memory must not grow with it."""
    keys = Keys(work, options.program, None)
    noise = None if options.sparse else workloads.Noise()
    rows = []
    for count in options.sizes:
        folder = work / f"size-{count}"
        folder.mkdir()
        plain = folder / "model.safetensors"
        workloads.write_model(plain, count, noise)
        sealed = plain
        if not options.sparse:  # holes are no weights that a seal could be in
            sealed = folder / "sealed.safetensors"
            must([options.program, "seal", plain, "-k", f"{keys.vendor}.key", "-o", sealed])
            plain.unlink()
        operations = [Operation(PEER, ["openssl", "dgst", "-sha256", sealed])]
        operations += [each for each in ours(options.program, plain, sealed, folder, keys)
                       if each.name in SCALED and (not options.sparse or "check" not in each.name)]
        measuring.run(["cat", sealed])
        for row in rows_of(measure(operations, options.rounds), sealed.stat().st_size):
            rows.append({"bytes": count, "size": size_text(count), "log2_mib": round(math.log2(count / (1 << 20)), 3), **row})
        shutil.rmtree(folder)
    notes = [("Sparse files: holes are read as zeros, and no seal fits into them. " if options.sparse else "") +
             EXPLAINED.format(rounds=options.rounds).split(";")[0] + "."]
    figures = [("rate", rendering.lines_over_sizes(rows, "gb_per_s", "Rate", "GB/s", SCALED)),
               ("memory", rendering.lines_over_sizes(rows, "peak_mib", "Peak memory", "MiB", SCALED))]
    columns = [Column("size", "size"), *[c for c in COLUMNS if c.key != "share_of_limit"]]
    name = "scaling-sparse" if options.sparse else "scaling"
    rendering.write(options.output, name, "From small to large files", head_of(options, keys, notes), columns, rows, figures)
    return list(growing(rows))


def growing(rows):
    """More memory for the largest size than for 64 MiB, beyond what varies."""
    for name in SCALED[1:]:
        peaks = [(row["bytes"], row["peak_mib"]) for row in rows if row["name"] == name and row["peak_mib"]]
        small = [peak for count, peak in peaks if count <= 64 << 20]
        if peaks and small and peaks[-1][1] > 1.5 * max(small) + 32:
            yield f"{name}: {peaks[-1][1]} MiB at the largest size, {max(small)} MiB up to 64 MiB"
    if not rows:
        yield "the table is empty"
