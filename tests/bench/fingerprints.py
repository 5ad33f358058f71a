"""The black-box methods of the table of pairs: fingerprints, their checks, and natural images as the naive baseline."""
import dataclasses
import math
import pathlib

import numpy as np

import images
import onnx_copy
import program

PUBLISHED_STEPS = 10_000  # of the paper on SSP, for all methods
OTHER = ["--batch", 64]  # another batch is another runtime: the rung exact does not decide


@dataclasses.dataclass
class Answer:
    """Of one copy on one runtime."""
    changed: int  # pairs, or single queries, that answer otherwise
    count: int
    single: bool  # a query is one input, not a pair
    noticed: bool
    mismatched: int = 0  # of pairs: with any bit of an answer that decides changed

    def share(self):
        """% of pairs; of single queries, and of pairs of them drawn at random, either of which may change."""
        one = 100 * self.changed / self.count
        if not self.single:
            return one, one
        unchanged = self.count - self.changed
        return one, 100 * (1 - math.comb(unchanged, 2) / math.comb(self.count, 2))


class Method:
    """`rung`: of pairs, the one whose flips are counted on the same runtime."""

    def __init__(self, name, options, steps=None, onnx=False, ours=False):
        self.name, self.options, self.steps, self.onnx, self.ours = name, options, steps, onnx, ours

    def make(self, seal, network, out, seed):
        model = onnx_copy.with_input(network.onnx, "x", out.with_suffix(".onnx")) if self.onnx else network.model
        shape = ",".join(map(str, network.shape))
        self.file = out
        self.made = seal.json("fingerprint", model, "-k", seal.key, "-o", out, "--input-shape", shape, "--input-range", "0,1", "--seed", seed,
                              *self.options)
        return self.made

    def check(self, seal, file, runtime=()):
        report = seal.json("check", file, "--black-box", "--pub", seal.pub, "--fingerprint", self.file, *runtime, codes=(0, 1, 2, 3))
        check = next(check for check in report["checks"] if check["kind"] == "fingerprint")
        if "acc_tri" in check:
            changed = check["acc_tri"]["count"] - check["acc_tri"]["matched"]
            return Answer(changed, check["acc_tri"]["count"], True, self.noticed(report, changed))
        wanted = "fp32" if runtime and "--batch" in runtime else "exact"
        rungs = {rung["name"]: rung for rung in check["rungs"]}
        rung = rungs.get(wanted) or check["rungs"][0]
        return Answer(rung["flipped"], rung["pairs"], False, self.noticed(report, rung["flipped"]), rung["mismatched"])

    def noticed(self, report, changed):
        """Published methods take any changed label for an alarm. The check of modelseal does not, since honest runtimes change some."""
        return report["verdict"] == "tampered" if self.ours else changed > 0


class NaturalImages:
    """Test images as queries: a label that changed is noticed."""
    name, steps, ours = "natural images", None, False

    def __init__(self, count):
        self.count = count

    def make(self, evidence, network, work, seed):
        levels, labels = images.load(network.test)
        chosen = np.random.default_rng(seed).choice(len(levels), self.count, replace=False)
        self.work, self.network = work, network
        self.data = images.save(work, "natural", levels[chosen], labels[chosen])
        self.inputs = images.inputs(levels[chosen])
        self.evidence, self.labels = evidence, None
        self.labels = self.ask(network.model)

    def ask(self, file):
        logits = self.work / "logits"
        self.evidence.logits(file, self.data, logits)
        return np.fromfile(logits, np.float32).reshape(self.count, -1).argmax(1)

    def check(self, _seal, file, runtime=()):
        """Another runtime is ONNX Runtime, of the untouched network alone: attacked copies are TorchScript."""
        if runtime and pathlib.Path(file) != self.network.model:
            return None
        labels = onnx_copy.answers(self.network.onnx, self.inputs).argmax(1) if runtime else self.ask(file)
        changed = int((labels != self.labels).sum())
        return Answer(changed, self.count, True, changed > 0)


def methods(pairs, steps):
    """All ask as many queries: pairs of two, or single ones."""
    single = ["--method", "generator", "--triggers", 2 * pairs]
    return [Method("pairs, values", ["--pairs", pairs], ours=True),
            Method("pairs, labels", ["--pairs", pairs, "--access", "label"], ours=True),
            Method("generated triggers", [*single, "--width", 64], ours=True),
            Method("SSP", ["--pairs", pairs, "--schedule", "paper"], PUBLISHED_STEPS),
            Method("DBI", [*single, "--schedule", "dbi", "--steps", steps], steps),
            Method("AID", [*single, "--schedule", "aid", "--steps", steps], steps, onnx=True)]


def vendor(options, work):
    return program.Modelseal(options.program, work), program.Evidence(options.program.parent.parent)
