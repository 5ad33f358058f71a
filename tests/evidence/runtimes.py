"""False alarms by network and runtime: untouched classifiers on honest runtimes that their fingerprints have not tried.

    runtimes.py BUILD MODELS WORK [--prints 3] [--only NAME]

BUILD: configured with -DMODELSEAL_EVIDENCE=ON. MODELS: a folder with onnx/ and torchscript/. What was checked is kept in WORK, so that a run
that was stopped goes on there. Prints a Markdown table: of how many checks of each runtime
how many are "tampered", which none may be, and the number of checks in which that would have been seen. LibTorch runs with the reference BLAS
where it is installed, and ONNX Runtime from PyPI at all of its levels of optimization. Of services that compute in less than float32 a finding
that says so is no alarm.
"""
import argparse
import collections
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

import program
from reach import INPUTS

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Network:
    path: str
    pairs: int = 150  # fewer where one input takes long
    served: str = None  # inputs at a time that ONNX Runtime is asked; none where an output is no tensor, or inputs are halves
    float64: bool = False  # the reference implementation of ONNX computes the same

    def name(self):
        return self.path.split("/", 1)[1].removesuffix("/model.onnx").rsplit(".", 1)[0] + (", TorchScript" if "onnx" not in self.path else "")


NETWORKS = [
    Network("onnx/mnist-8/model.onnx", served="1", float64=True), Network("onnx/burn-mnist.onnx", served="1,3,11,64", float64=True),
    Network("onnx/onnx-mlir-mnist.onnx", served="1", float64=True), Network("onnx/winml-mnist-cnn.onnx"),
    Network("onnx/cifar10-resnet20.onnx", served="1,3,11,64", float64=True),
    Network("onnx/cifar10-resnet32.onnx", served="1,3,11,64", float64=True),
    Network("torchscript/cifar10-resnet20.pt"), Network("torchscript/vit4mnist_android.ptl", 20),
    Network("onnx/squeezenet1.0-fp16-imagenet.onnx", 10), Network("torchscript/asl.ptl", 10),
    Network("onnx/shufflenet-v2-12-int8-imagenet.onnx", 8, served="1"),
    Network("onnx/mobilenetv2-int8-qdq-imagenet/model.onnx", 8, served="1"),
]
LEVELS = ("disabled", "basic", "extended", "all")
REFERENCE = pathlib.Path("/usr/lib/x86_64-linux-gnu/blas")
NARROW = ("TF32", "float16", "bfloat16")
ROW = re.compile(r"^  (.+?) +(\d+) checks, (\d+) alarms, (\d+) inconclusive")


class Count:
    def __init__(self):
        self.checks = self.alarms = self.inconclusive = 0

    def add(self, checks, alarms, inconclusive):
        self.checks += checks
        self.alarms += alarms
        self.inconclusive += inconclusive

    def cell(self):
        if not self.checks:
            return ""
        note = f", {self.inconclusive} inconclusive" if self.inconclusive else ""
        return f"{self.alarms} of {self.checks}{note}"


class Server:
    """ONNX Runtime, one thread."""

    def __init__(self, python, model, level):
        command = [python, HERE.parent / "oracle/oip_server.py", "--model", model, "--name", "net", "--optimize", level, "--until-stdin-ends"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def order_of(row):
    """Float32 first, then what answers and services make of it."""
    return row.startswith("4 to"), row.startswith(NARROW), "LibTorch" not in row, row


def made_by(*command):
    """Of a script that makes an environment: its Python."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def rows(build, fingerprint, vendor, target, *options):
    done = program.must(build / "tests/evidence/modelseal_evidence", "alarms", fingerprint, "--pub", vendor, target, *options)
    return [(found[1], *map(int, found.groups()[1:])) for found in map(ROW.match, done.out.splitlines()) if found]


def checked(options, network, work, python):
    """Of a new fingerprint with a key of its own: (runtime, checks, alarms, inconclusive)."""
    model, fingerprint = options.models / network.path, work / "net.fp"
    sealer = program.Modelseal(options.build / "src/modelseal", work)
    fingerprint.unlink(missing_ok=True)
    made = sealer.json("fingerprint", model, "-k", sealer.key, "-o", fingerprint, "--pairs", network.pairs, *INPUTS.get(model.name, []))
    if not any(rung["name"] == "fp32" for rung in made["rungs"]):
        return []  # only bits are compared, which decide nothing on another runtime
    found = rows(options.build, fingerprint, sealer.pub, model, "--by-runtime")
    if REFERENCE.exists():
        os.environ["LD_LIBRARY_PATH"] = str(REFERENCE)
        again = rows(options.build, fingerprint, sealer.pub, model, "--by-runtime", "--only", "LibTorch")
        del os.environ["LD_LIBRARY_PATH"]
        found += [("LibTorch with the reference BLAS", *counts) for row, *counts in again if row == "LibTorch"]
    if network.float64:
        engine = f"exec:{options.reference} {HERE / 'float64_engine.py'} {model}"
        answered = rows(options.build, fingerprint, sealer.pub, engine, "--batches", "50")
        found += [("float64", *counts) for row, *counts in answered if row == "as they are"]
    for level in LEVELS if network.served else ():
        with Server(python, model, level) as server:
            for row, *counts in rows(options.build, fingerprint, sealer.pub, server.address, "--batches", network.served):
                if row == "as they are":
                    found.append((f"ONNX Runtime, optimization: {level}", *counts))
                elif row in ("4 decimals", "5 decimals", "6 decimals"):
                    found.append(("4 to 7 decimals", *counts))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--prints", type=int, default=3, help="fingerprints of each network, each with a key of its own")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.environ["MODELSEAL_WORKER"] = str(options.build / "src/modelseal-worker")
    python = made_by(HERE.parent / "oracle/onnxruntime.sh")
    options.reference = made_by(HERE.parent / "venv.sh", "networks", HERE / "networks_requirements.txt")
    table = collections.defaultdict(lambda: collections.defaultdict(Count))  # runtime -> network -> count
    networks = [network for network in NETWORKS if options.only in network.path]
    for number in range(1, options.prints + 1):
        for network in networks:
            name = f"{network.path.replace('/', '-')}-{number}"
            checks = program.kept(options.work / f"{name}.json", lambda: checked(options, network, options.work / name, python))
            for row, *counts in checks:
                table[row][network.path].add(*counts)
            print(name, file=sys.stderr, flush=True)
    names = [f"{network.name()} ({network.pairs})" for network in networks]
    print(f"{options.prints} fingerprints of each network, each with a key of its own; in brackets their pairs. Cells: \"tampered\" of so many "
          "checks.\n")
    print("| runtime | " + " | ".join(names) + " | all |\n" + "| --- " * (len(names) + 2) + "|")
    every = Count()
    for row, by_network in sorted(table.items(), key=lambda item: order_of(item[0])):
        whole = Count()
        for count in by_network.values():
            whole.add(count.checks, count.alarms, count.inconclusive)
        every.add(whole.checks, whole.alarms, whole.inconclusive)
        print(f"| {row} | " + " | ".join(by_network[network.path].cell() for network in networks) + f" | {whole.cell()} |")
    print(f"\nIn all {every.cell()}"
          + (f": with 95 % confidence fewer than 3 in {every.checks} are, if checks are independent." if not every.alarms else "."))
    return 1 if every.alarms else 0


sys.exit(main())
