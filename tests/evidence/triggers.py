"""Makes fingerprints of untouched networks, checks attacked copies with them, and prints tables (triggers.sh)."""
import argparse
import collections
import pathlib

import attacked
import networks
import onnx_copy
import program
import triggers_report

QUERIES = 100  # of every method, on each of its rungs
ARMS = ["none", "classification", "variance", "both"]


def methods(seed):
    """What `modelseal fingerprint` takes for each method; all have as many queries."""
    known = {arm: ["--method", "generator", "--triggers", QUERIES, "--width", 64, "--arm", arm, "--seed", seed] for arm in ARMS}
    known["pairs"] = ["--method", "pairs", "--pairs", QUERIES // 2]
    known["pairs/labels"] = ["--method", "pairs", "--pairs", QUERIES // 2, "--access", "label"]
    known["dbi"] = ["--method", "generator", "--schedule", "dbi", "--triggers", QUERIES, "--seed", seed]
    known["aid"] = ["--method", "generator", "--schedule", "aid", "--triggers", QUERIES, "--seed", seed]
    return known


def columns(chosen):
    """(heading, method); pairs have a column for each rung that can decide."""
    for method in chosen:
        yield method, method
        if method == "pairs":  # labels have no bits to compare
            yield f"{method}, exact", method


def matches(report, column):
    """(inputs or pairs that answer as recorded, all of them), from the JSON of `modelseal check`.

    Of pairs: those of the rung fp32, which decides on other runtimes, or in columns "exact" those of that rung.
    """
    check = next(check for check in report["checks"] if check["kind"] == "fingerprint")
    if "acc_tri" in check:
        return check["acc_tri"]["matched"], check["acc_tri"]["count"]
    rung = next(rung for rung in check["rungs"] if rung["name"] == ("exact" if column.endswith("exact") else "fp32"))
    return rung["told"] - rung["mismatched"], rung["told"]


class Trial:
    """All fingerprints of one network, against all its copies."""

    def __init__(self, seal, evidence, network, given):
        self.seal, self.evidence, self.network, self.given = seal, evidence, network, given
        self.work = given.work / "triggers" / network.name
        self.work.mkdir(parents=True, exist_ok=True)
        self.curves = {"untouched": {0: network.model}}
        self.costs = collections.defaultdict(list)  # method -> what making one printed
        self.cells = collections.defaultdict(list)  # (curve, strength, column) -> (matched, count, noticed) for each seed

    def fingerprint(self, method, seed):
        out = self.work / f"{method.replace('/', '-')}.{seed}.fp"
        shape = ",".join(map(str, self.network.shape))

        model = self.network.model

        def make():
            nonlocal model
            # The rectified units that AID counts on are hidden in TorchScript.
            if method == "aid":
                model = onnx_copy.with_input(self.network.onnx, "x", self.work / "aid.onnx")
            before = program.sha256(model)
            made = self.seal.json("fingerprint", model, "-k", self.seal.key, "-o", out, "--input-shape", shape,
                                  "--input-range", "0,1", *methods(seed)[method])
            return made | {"untouched": program.sha256(model) == before, "bytes": out.stat().st_size}

        self.costs[method].append(program.kept(f"{out}.json", make))
        return out

    def check(self, file, fingerprint):
        return program.kept(self.work / "checks" / f"{file.stem}.{fingerprint.name}.json", lambda: self.seal.json(
            "check", file, "--black-box", "--pub", self.seal.pub, "--fingerprint", fingerprint, codes=(0, 1, 2)))

    def run(self):
        copies = attacked.Copies(self.evidence, self.network.model, self.network.train, self.work / "copies", self.given.epochs,
                                 self.given.images)
        self.curves |= copies.curves(attacked.TRAINED, self.given.rates)
        for seed in self.given.seeds:
            fingerprints = {method: self.fingerprint(method, seed) for method in self.given.methods}
            for column, method in columns(self.given.methods):
                for curve, files in self.curves.items():
                    for strength, file in files.items():
                        report = self.check(file, fingerprints[method])
                        self.cells[curve, strength, column].append((*matches(report, column), report["verdict"] == "tampered"))

    def accuracies(self):
        """Right answers on the test images in %, by the stem of a copy's name."""
        files = [file for curve in self.curves.values() for file in curve.values()]

        def measure():
            correct = self.evidence.correct(self.network.test, files)
            return {pathlib.Path(file).stem: 100 * right / count for file, (right, count) in correct.items()}

        return program.kept(self.work / "accuracy.json", measure)


def options():
    parser = argparse.ArgumentParser(description="AccTri of generated triggers, and of other methods, on attacked copies")
    for name in ("modelseal", "build", "data", "work"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--networks", type=lambda words: words.split(","), default=["mnist", "fashion-mnist", "cifar10"])
    parser.add_argument("--methods", type=lambda words: words.split(","), default=list(methods(0)))
    parser.add_argument("--seeds", type=lambda words: [int(word) for word in words.split(",")], default=[1, 2, 3], help="of the fingerprints")
    parser.add_argument("--rates", type=lambda words: words.split(","), default=["1e-4"], help="learning rates of the attacks")
    parser.add_argument("--epochs", type=lambda words: [int(word) for word in words.split(",")], default=[1, 2, 3, 5, 10, 20])
    parser.add_argument("--images", type=int, default=10_000, help="of the training data, for an epoch")
    return parser.parse_args()


def main():
    given = options()
    seal, evidence = program.Modelseal(given.modelseal, given.work), program.Evidence(given.build)
    for network in networks.networks(given.data, given.work, given.networks):
        networks.prepare(network, seal, evidence)
        trial = Trial(seal, evidence, network, given)
        trial.run()
        shown = [column for column, _ in columns(given.methods)]
        print(triggers_report.document(trial, shown), flush=True)
        (given.work / f"triggers-{network.name}.svg").write_text(triggers_report.plot_of(trial, shown, ARMS))


if __name__ == "__main__":
    main()
