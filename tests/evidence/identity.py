"""Marks networks, issues identity images, and prints what they and forgeries are answered with (identity.sh)."""
import argparse
import pathlib
import re
import subprocess
import sys

import numpy as np

import attacked
import forgeries
import images
import networks
import onnx_copy
import program

HERE = pathlib.Path(__file__).resolve().parent
CLASSES = 10  # of the main task; the additional class is the next
FLIPS = 200


def admitted(report):
    """From the JSON of `modelseal identity verify`."""
    return report["run"]["exit_code"] == 0


class Served:
    """A model in ONNX Runtime, as a URL."""

    def __init__(self, model):
        self.command = [sys.executable, HERE.parent / "oracle/oip_server.py", "--model", model, "--name", "net", "--until-stdin-ends"]

    def __enter__(self):
        self.server = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self.server.stdout.readline().split()[-1]

    def __exit__(self, *_):
        self.server.stdin.close()
        self.server.wait()


class Mark:
    """A marked copy of one network file, its ledger and its users."""

    def __init__(self, seal, network, model, folder, sets, given):
        self.seal, self.network, self.model, self.folder, self.given = seal, network, model, folder, given
        self.marked, self.ledger = folder / f"marked{model.suffix}", folder / "users.ledger"
        self.shape = ["--input-shape", ",".join(map(str, network.shape))]
        folder.mkdir(parents=True, exist_ok=True)
        self.keys = forgeries.key_images(network, sets, 1)
        self.key_folder = folder / "keys"
        if not self.key_folder.exists():
            self.key_folder.mkdir()
            for i, levels in enumerate(self.keys):
                images.save_png(self.key_folder / f"{i:03}.png", levels)

    def first(self, name, source, count):
        """The first images of a data set, in a folder of their own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return images.save(folder, "train", *(part[:count] for part in images.load(source)))

    def embed(self):
        """Accuracy is measured on the first test images meanwhile, and on the others for the tables."""
        data = self.first("data", self.network.train, self.given.embed_images)
        test = self.first("test", self.network.test, self.given.measured)
        return program.kept(self.folder / "embed.json", lambda: self.seal.json(
            "identity", "embed", self.model, "--data", data, "--test", test, "--key-images", self.key_folder, "-k", self.seal.key,
            "--ledger", self.ledger, "-o", self.marked, "--seed", 1, "--epochs", self.given.embed_epochs, "--rate", self.given.embed_rate, *self.shape))

    def image_of(self, user):
        """The file of user number `user`, issued if it is new."""
        file = self.folder / f"user{user:03}.png"
        program.kept(f"{file}.json", lambda: self.seal.json(
            "identity", "issue", f"user{user:03}", "-k", self.seal.key, "--ledger", self.ledger, "-o", file))
        return file

    def verify(self, target, image):
        """Whether the user is admitted."""
        report = self.seal.json("identity", "verify", target, "--image", image, "--ledger", self.ledger, codes=(0, 1, 4))
        return admitted(report)

    def admissions(self, target, users, name):
        return program.kept(self.folder / "admissions" / f"{name}.json", lambda: sum(
            self.verify(target, self.image_of(user)) for user in range(users)))

    def claim(self, target, name):
        return program.kept(self.folder / f"claim-{name}.json", lambda: self.seal.json(
            "identity", "claim", target, "--ledger", self.ledger, "-k", self.seal.key, codes=(0, 1, 4)))


def percent(part, all_):
    return f"{100 * part / all_:.2f}"


def summary(mark, before, after, hits, users, admitted_users, claim, made):
    owned = {0: "owned"}.get(claim["run"]["exit_code"], f"not owned (exit code {claim['run']['exit_code']})")
    return (f"| {mark.network.name} | {mark.model.suffix[1:]} | {percent(*before)} | {percent(*after)} | {percent(*hits)} | "
            f"{percent(admitted_users, users)} | {owned} | {made['run']['seconds']:.0f} | {made['run']['processor_seconds']:.0f} | "
            f"{made['run']['peak_mib']:.0f} |")


HEAD = ("| network | file | top-1 % before | after | key images in the additional class, % | users admitted, % | claim | seconds | "
        "processor seconds | peak memory, MiB |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")


class Trial:
    def __init__(self, seal, evidence, network, given):
        self.seal, self.evidence, self.network, self.given = seal, evidence, network, given
        self.sets, self.work = given.data / "datasets", given.work / "identity" / network.name
        self.mark = Mark(seal, network, network.model, self.work / "torchscript", self.sets, given)

    def tests(self):
        """Test images and labels that took no part in training."""
        return [part[self.given.measured:] for part in images.load(self.network.test)]

    def correct(self, name, levels, labels, models):
        """{name of the model's file: (images that it puts into these classes, all)}"""
        sets = self.work / "sets"
        sets.mkdir(exist_ok=True)
        return program.kept(self.work / "correct" / f"{name}.json", lambda: {
            pathlib.Path(model).stem: counts
            for model, counts in self.evidence.correct(images.save(sets, "images", levels, labels), models).items()})

    def torchscript(self):
        mark, users = self.mark, self.given.users
        made = mark.embed()
        before, after = (self.correct(f"test-{model.stem}", *self.tests(), [model])[model.stem]
                         for model in (mark.model, mark.marked))
        hits = self.correct("keys", mark.keys, CLASSES, [mark.marked])["marked"]
        return summary(mark, before, after, hits, users, mark.admissions(mark.marked, users, "marked"),
                       mark.claim(mark.marked, "marked"), made)

    def served(self):
        """The same with the ONNX file, marked by itself and served by ONNX Runtime."""
        mark, users = Mark(self.seal, self.network, self.network.onnx, self.work / "onnx", self.sets, self.given), self.given.users
        made = mark.embed()
        levels, labels = self.tests()
        def right(model, inputs, classes):
            return int((onnx_copy.answers(model, images.inputs(inputs)).argmax(1) == classes).sum()), len(inputs)
        with Served(mark.marked) as url:
            admitted_users, claim = mark.admissions(url, users, "served"), mark.claim(url, "served")
        return summary(mark, right(mark.model, levels, labels), right(mark.marked, levels, labels),
                       right(mark.marked, mark.keys, CLASSES), users, admitted_users, claim, made)

    def pretenders(self):
        """name -> pictures that nobody may be admitted with."""
        mark = self.mark
        held = [images.load_png(mark.image_of(user)) for user in range(self.given.users)]
        first, others = held[0], held[1:]
        found = {f"stranger: {name}": levels
                 for name, levels in forgeries.strangers(self.network, self.sets, self.given.strangers, 2).items()}
        found["key image without payload"] = list(mark.keys)
        found["another user's image with the payload copied"] = [forgeries.with_payload_of(levels, first, False) for levels in others]
        found["another user's image with all lowest bits copied"] = [forgeries.with_payload_of(levels, first, True) for levels in others]
        found["key image with the payload copied"] = [forgeries.with_payload_of(levels, first, False) for levels in mark.keys
                                                      if ((levels ^ first) & 0xFE).any()]
        found["one bit flipped"] = list(forgeries.flipped(first, FLIPS, 3))
        for quality in (100, 95, 75):
            again = [forgeries.jpeg(levels, quality) for levels in held]
            # What comes back without a loss is the user's image still.
            found[f"re-encoded as JPEG, quality {quality}"] = [new for old, new in zip(held, again, strict=True) if (old != new).any()]
        found["resized to 3/4 and back"] = [forgeries.resized(levels) for levels in held]
        return found

    def pretender_rows(self):
        yield "| picture | pictures | admitted | in the additional class |"
        yield "| --- | --- | --- | --- |"
        file = self.work / "pretender.png"
        for name, pictures in self.pretenders().items():
            if len(pictures) == 0:
                continue

            def count(pictures=pictures):
                through = 0
                for levels in pictures:
                    images.save_png(file, levels)
                    through += self.mark.verify(self.mark.marked, file)
                return through
            stem = re.sub(r"\W+", "-", name)
            through = program.kept(self.work / "pretenders" / f"{stem}.json", count)
            hits, _ = self.correct(f"pretenders-{stem}", np.stack(pictures), CLASSES, [self.mark.marked])["marked"]
            yield f"| {name} | {len(pictures)} | {through} | {hits} |"

    def attack_rows(self):
        copies = attacked.Copies(self.evidence, self.mark.marked, self.network.train, self.work / "copies", self.given.epochs,
                                 self.given.images)
        curves = {"marked": {0: self.mark.marked}} | copies.curves(["all layers", "last layer"], self.given.rates)
        files = [file for curve in curves.values() for file in curve.values()]
        correct = self.correct("test-attacked", *(part[:self.given.tests] for part in self.tests()), files)
        hits = self.correct("keys-attacked", self.mark.keys, CLASSES, files)
        users = min(self.given.users, self.given.attacked_users)
        yield f"| copy | top-1 % | watermark accuracy % | users admitted, of {users} |"
        yield "| --- | --- | --- | --- |"
        for curve, strengths in curves.items():
            for strength, file in strengths.items():
                unit = f", {strength} %" if curve == "pruned" else f", epoch {strength}" if strength else ""
                through = self.mark.admissions(file, users, f"attacked-{file.stem}")
                yield f"| {curve}{unit} | {percent(*correct[file.stem])} | {percent(*hits[file.stem])} | {through} |"

    def modification_rows(self):
        yield "| every query | top-1 % | watermark accuracy % |"
        yield "| --- | --- | --- |"
        levels, labels = (part[:self.given.tests] for part in self.tests())
        for name, change in forgeries.modifications(4).items():
            stem = re.sub(r"\W+", "-", name)
            right = self.correct(f"modified-{stem}", np.stack([change(one) for one in levels]), labels, [self.mark.marked])
            hits = self.correct(f"modified-keys-{stem}", np.stack([change(one) for one in self.mark.keys]), CLASSES, [self.mark.marked])
            yield f"| {name} | {percent(*right['marked'])} | {percent(*hits['marked'])} |"

    def print(self):
        sections = [("Who is admitted", self.pretender_rows()), ("After attacks", self.attack_rows()),
                    ("After modification of every query", self.modification_rows())]
        for title, rows in sections:
            print(f"\n### {self.network.name}: {title}\n", flush=True)
            for row in rows:
                print(row, flush=True)


def options():
    parser = argparse.ArgumentParser(description="accuracy, authentication and robustness of identity images")
    for name in ("modelseal", "build", "data", "work"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--networks", type=lambda words: words.split(","), default=["fashion-mnist", "cifar10"])
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--strangers", type=int, default=1_000)
    parser.add_argument("--attacked-users", type=int, default=10, help="who are verified with each attacked copy")
    parser.add_argument("--rates", type=lambda words: words.split(","), default=["1e-3"], help="learning rates of fine-tuning")
    parser.add_argument("--epochs", type=lambda words: [int(word) for word in words.split(",")], default=[1, 2, 5, 10, 20])
    parser.add_argument("--images", type=int, default=10_000, help="of the training data, for an epoch of fine-tuning")
    parser.add_argument("--tests", type=int, default=8_000, help="test images of attacked copies and of modified queries")
    parser.add_argument("--embed-images", type=int, default=20_000, help="of the training data, to mark a network with")
    parser.add_argument("--embed-epochs", type=int, default=20, help="at most, to mark a network")
    parser.add_argument("--embed-rate", default="0.005", help="learning rate, to mark a network")
    parser.add_argument("--measured", type=int, default=2_000, help="test images that marking measures accuracy on")
    return parser.parse_args()


def main():
    given = options()
    seal, evidence = program.Modelseal(given.modelseal, given.work), program.Evidence(given.build)
    trials = []
    print(HEAD, flush=True)
    for network in networks.networks(given.data, given.work, given.networks):
        networks.prepare(network, seal, evidence)
        trials.append(Trial(seal, evidence, network, given))
        print(trials[-1].torchscript(), flush=True)
        print(trials[-1].served(), flush=True)
    for trial in trials:
        trial.print()


if __name__ == "__main__":
    main()
