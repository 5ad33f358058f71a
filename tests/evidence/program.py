"""Runs modelseal and modelseal_evidence for the scripts of this folder: time, peak memory, and answers that are kept.

What a run prints as JSON is kept in a file, so that a script that was stopped goes on where it was.
"""
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

# As the program sets them for itself before it loads LibTorch, which modelseal_evidence is linked to.
SURROUNDINGS = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}


class Failed(Exception):
    pass


@dataclasses.dataclass
class Run:
    code: int
    out: str
    err: str
    seconds: float
    processor: float  # seconds of all its processes
    peak: float  # MiB of the largest of its processes


# The largest memory of a process counts from before its exec(), so a small process starts the command. Its children are the
# command and those that the command waited for, modelseal-worker among them.
STARTER = """
import os, resource, sys
process = os.spawnvp(os.P_WAIT, sys.argv[2], sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, file=file)
sys.exit(process if process >= 0 else 128 - process)
"""


def run(*command, folder=None):
    with tempfile.NamedTemporaryFile("r") as usage:
        begin = time.monotonic()
        done = subprocess.run([sys.executable, "-IS", "-c", STARTER, usage.name, *map(str, command)], cwd=folder, stdin=subprocess.DEVNULL,
                              capture_output=True, env=os.environ | SURROUNDINGS, check=False)
        took = time.monotonic() - begin
        processor, peak = map(float, usage.read().split())
    return Run(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), took, processor, peak)


def must(*command, folder=None):
    done = run(*command, folder=folder)
    if done.code != 0:
        raise Failed(f"{' '.join(str(part) for part in command)}: exit code {done.code}\n{done.err or done.out}")
    return done


def kept(file, make):
    """The JSON in `file`, which `make` gives if there is none yet."""
    file = pathlib.Path(file)
    if not file.exists():
        text = json.dumps(make(), indent=1)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(file.name + ".part")
        part.write_text(text)
        part.rename(file)
    return json.loads(file.read_text())


def sha256(file):
    return hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()


class Modelseal:
    """The program, with a vendor's key in `folder`."""

    def __init__(self, program, folder):
        self.program, self.folder = pathlib.Path(program).resolve(), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key, self.pub = self.folder / "vendor.key", self.folder / "vendor.pub"
        if not self.key.exists():
            must(self.program, "keygen", "vendor", "--no-passphrase", folder=self.folder)

    def run(self, *arguments):
        return run(self.program, *arguments)

    def json(self, *arguments, codes=(0,)):
        """What `arguments` print with --json, and under "run" what they cost."""
        done = self.run(*arguments, "--json")
        if done.code not in codes:
            raise Failed(f"modelseal {' '.join(str(part) for part in arguments)}: exit code {done.code}\n{done.err or done.out}")
        answer = json.loads(done.out)
        cost = {"exit_code": done.code, "seconds": round(done.seconds, 2), "processor_seconds": round(done.processor, 2),
                "peak_mib": round(done.peak, 1)}
        return answer | {"run": cost}


class Evidence:
    """modelseal_evidence: training, attacks, accuracy."""

    def __init__(self, build):
        self.program = pathlib.Path(build).resolve() / "tests/evidence/modelseal_evidence"

    def train(self, out, data, test):
        """Returns what training printed, or None if the network is there."""
        if out.exists():
            return None
        part = out.with_name("part-" + out.name)
        done = must(self.program, "train", part, "--data", data, "--test", test)
        part.rename(out)
        return done.out

    def attack(self, model, out, *arguments):
        """`out` may have "{}" in it where --epochs makes several."""
        return must(self.program, "attack", model, out, *arguments).out

    def layers(self, model):
        """Number of layers of weights: what an edit of one beyond the last is told."""
        refused = run(self.program, "attack", model, os.devnull, "--kind", "weight", "--layer", 1 << 20).err
        return int(re.search(r"layers 0 to (\d+)", refused)[1]) + 1

    def correct(self, data, models):
        """For each model the number of images that it puts into their class, and their number."""
        done = must(self.program, "accuracy", "--data", data, *models)
        rows = [line.split() for line in done.out.splitlines()[1:]]
        return {str(model): (int(row[-5]), int(row[-4])) for model, row in zip(models, rows, strict=True)}

    def logits(self, model, data, out):
        return must(self.program, "accuracy", "--data", data, "--logits", out, model).out
