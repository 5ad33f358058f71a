"""The attacks of the paper on DeepiSign, which train a sealed network, by modelseal_evidence; weights alone are judged, since a network
that was trained is another file in any case."""
import json
import re

import images
import networks
import program
import sealed

ATTACKS = {  # what modelseal_evidence attack takes; "control" is what changes no weight
    "saved again (control)": ["finetune", "--rate", 0, "--steps", 1],
    "targeted input poisoning, 30 marked images": ["backdoor", "--rate", 5e-3, "--samples", 30],
    "output poisoning, two classes swapped": ["swap"],
    "fine-tuning at 1e-3": ["finetune", "--rate", 1e-3],
    "fine-tuning at 1e-3, the last layer": ["finetune", "--rate", 1e-3, "--layers", "last"],
    "fine-tuning at 1e-4": ["finetune", "--rate", 1e-4],
    "fine-tuning at 1e-6": ["finetune", "--rate", 1e-6],
    "fine-tuning at 1e-8": ["finetune", "--rate", 1e-8],
}
CLASSES = {"mnist": (0, 3), "cifar10": (4, 5), "fashion-mnist": (0, 3)}  # the paper's: 0 and 3, deer and dog
TESTED = 2000  # images, for accuracy


class Attacked:
    def __init__(self, options, vendor, work):
        self.options, self.vendor, self.work = options, vendor, work
        self.evidence = program.Evidence(options.program.parent.parent)

    def make(self, network, scheme, attack, seed):
        out = self.work / "attacked.pt"
        kind, *more = ATTACKS[attack]
        if kind != "swap":
            more += ["--data", network.train, "--seed", seed]
            # A trigger takes longer to teach than weights take to move.
            more += [] if "--steps" in more else ["--steps", self.options.steps * (3 if kind == "backdoor" else 1)]
        if kind != "finetune":
            start, target = CLASSES[network.name]
            more += ["--from", start, "--target", target]
        said = self.evidence.attack(self.work / f"{scheme}.pt", out, "--kind", kind, *more)
        fooled = re.search(r"of (\d+) others of class \d+ with the mark, (\d+) are taken", said)
        return out, 100 * int(fooled[2]) / int(fooled[1]) if fooled else None

    def errors(self, file):
        """Bit error rates of the deepisign scheme in %: of layers that do not hold any more, and of the others."""
        read = json.loads(program.must(self.evidence.program, "deepisign", file, "--pub", self.vendor.pub).out)
        return [[100 * layer["bit_error_rate"] for layer in read["layers"] if layer["intact"] == intact] for intact in (False, True)]

    def row(self, network, attack, tested):
        counts = {scheme: sealed.Count() for scheme in sealed.SCHEMES}
        wrong, right, top1, fooled = [], [], [], None
        seeds = self.options.seeds if "--rate" in ATTACKS[attack] and "control" not in attack else 1
        for seed in range(1, seeds + 1):
            for scheme in sealed.SCHEMES:
                file, taken = self.make(network, scheme, attack, seed)
                counts[scheme].add(self.vendor.check(file, "--weights-only"))
                if scheme == "deepisign":
                    broken, whole = self.errors(file)
                    wrong, right = wrong + broken, right + whole
                elif seed == 1:
                    correct, count = self.evidence.correct(tested, [file])[str(file)]
                    top1.append(100 * correct / count)
                    fooled = taken
        cells = {}
        for scheme, count in counts.items():
            cells |= count.cells(scheme)
        return {"network": network.name, "attack": attack, "control": "control" in attack, "top1": round(top1[0], 2),
                "fooled": fooled, **cells,
                "broken_layers": spread(wrong), "other_layers": spread(right), "bit_error_rates": [round(rate, 2) for rate in wrong]}

    def rows(self, network):
        networks.prepare(network, program.Modelseal(self.options.program, self.work), self.evidence)
        levels, labels = images.load(network.test)
        tested = images.save(self.work, f"tested-{network.name}", levels[:TESTED], labels[:TESTED])
        for scheme in sealed.SCHEMES:
            self.vendor.seal(network.model, self.work / f"{scheme}.pt", scheme)
        for attack in ATTACKS:
            yield self.row(network, attack, tested)


def spread(rates):
    if not rates:
        return None
    low, high = f"{min(rates):.1f}", f"{max(rates):.1f}"
    return low if low == high else f"{low} to {high}"
