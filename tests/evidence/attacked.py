"""Attacked copies of a network for triggers.py and identity.py, by modelseal_evidence; made once."""
import pathlib

SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]  # of the weights, for pruning
TRAINED = {"all layers": ["finetune", "--layers", "all"], "last layer": ["finetune", "--layers", "last"],
           "backdoor": ["backdoor", "--samples", 10]}


class Copies:
    """A curve is one attack, at several strengths: epochs of training, or shares of pruned weights in %."""

    def __init__(self, evidence, model, train, folder, epochs, images):
        self.evidence, self.model, self.train, self.folder = evidence, pathlib.Path(model), train, pathlib.Path(folder)
        self.epochs, self.images = epochs, images
        self.folder.mkdir(parents=True, exist_ok=True)

    def trained(self, way, rate):
        """`way`: a key of TRAINED."""
        stem = f"{way.replace(' ', '-')}-{rate}"
        files = {epoch: self.folder / f"{stem}-{epoch}.pt" for epoch in self.epochs}
        if not all(file.exists() for file in files.values()):
            self.evidence.attack(self.model, self.folder / f"{stem}-{{}}.pt", "--kind", *TRAINED[way], "--rate", rate, "--data", self.train,
                                 "--epochs", ",".join(map(str, self.epochs)), "--batch", 128, "--images", self.images)
        return files

    def single(self, stem, *arguments):
        file = self.folder / f"{stem}.pt"
        if not file.exists():
            self.evidence.attack(self.model, file, *arguments)
        return file

    def pruned(self):
        return {round(100 * share): self.single(f"pruned-{round(100 * share)}", "--kind", "prune", "--share", share) for share in SHARES}

    def curves(self, ways, rates):
        """name -> {strength: file}"""
        found = {f"{way}, rate {rate}": self.trained(way, rate) for rate in rates for way in ways}
        found["pruned"] = self.pruned()
        for kind in ("int8", "fp16", "bf16"):
            found[kind] = {0: self.single(kind, "--kind", kind)}
        return found
