"""Writes the table of fingerprint.sh: for each attack and kind of fingerprint, mismatching pairs and checks that notice."""
import collections
import json
import pathlib
import sys

KINDS = ["logits-none", "probabilities-none", "label-none", "logits-u8", "label-u8"]


class Cell:
    """All files of one attack under one kind of fingerprint."""

    def __init__(self):
        self.checks = self.here = self.elsewhere = 0
        self.pairs = collections.Counter()
        self.mismatched = collections.Counter()

    def add(self, same, other):
        self.checks += 1
        self.here += same["verdict"] == "tampered"
        self.elsewhere += other["verdict"] == "tampered"
        for rung in same["checks"][0]["rungs"]:
            self.pairs[rung["name"]] += rung["pairs"]
            self.mismatched[rung["name"]] += rung["mismatched"]

    def share(self, rung):
        if not self.pairs[rung]:
            return "-"
        return f"{100 * self.mismatched[rung] / self.pairs[rung]:.1f}"


def read(folder):
    table = collections.defaultdict(lambda: collections.defaultdict(Cell))
    for file in sorted(pathlib.Path(folder).glob("*.pt")):
        attack = file.stem.rsplit(".", 1)[0]
        for kind in KINDS:
            same = json.loads(file.with_name(f"{file.name}.{kind}.json").read_text())
            other = json.loads(file.with_name(f"{file.name}.{kind}.elsewhere.json").read_text())
            table[attack][kind].add(same, other)
    return table


def costs(folder):
    """How each fingerprint was made: label walks along gradients, the others need none."""
    for kind in KINDS:
        made = json.loads((pathlib.Path(folder) / f"{kind}.json").read_text())
        sizes = ", ".join(f"{rung['pairs']} on {rung['name']}" for rung in made["rungs"])
        yield f"- {kind}: {made['evaluations']:,} evaluations, {made['seconds']:.0f} s; {sizes}"


def main():
    table = read(sys.argv[1])
    print("Made by, where a step along a gradient counts as 3 evaluations:\n")
    print("\n".join(costs(sys.argv[2])) + "\n")
    print("Per pair: % of pairs that mismatch on the rungs exact / fp32. Per check: noticed on the same runtime, and on")
    print("another one, of all files of that attack.\n")
    print("| attack | " + " | ".join(KINDS) + " |")
    print("| --- |" + " --- |" * len(KINDS))
    for attack, kinds in table.items():
        cells = [
            f"{cell.share('exact')} / {cell.share('fp32')}; {cell.here}, {cell.elsewhere} of {cell.checks}"
            for cell in (kinds[kind] for kind in KINDS)
        ]
        print(f"| {attack} | " + " | ".join(cells) + " |")


main()
