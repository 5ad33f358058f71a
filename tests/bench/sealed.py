"""The two schemes that the DeepiSign tables compare: sealing, checking, and what a check found."""
import dataclasses
import json
import os
import subprocess

from measuring import Failed, must

SCHEMES = ["modelseal", "deepisign"]
TIME = {"SOURCE_DATE_EPOCH": "1700000000"}  # of stamps, so that two seals differ by what is asked for alone


@dataclasses.dataclass
class Finding:
    outcome: str  # "intact", "tampered", or "lost": no mark was found any more
    changed: int  # tensors
    tensors: int
    bit_error_rate: float  # mean of the tensors that changed, in %

    @property
    def noticed(self):
        return self.outcome != "intact"


class Vendor:
    """A key pair, and models that are sealed with it."""

    def __init__(self, program, folder, name="vendor"):
        self.program, self.key, self.pub = program, folder / f"{name}.key", folder / f"{name}.pub"
        must([program, "keygen", folder / name, "--no-passphrase"])

    def seal(self, model, out, scheme, *more):
        refused = self.try_to_seal(model, out, scheme, *more)
        if refused:
            raise Failed(f"{model}: {scheme} refused it: {refused}")

    def try_to_seal(self, model, out, scheme, *more):
        """None, or why the scheme refused the model."""
        command = [self.program, "seal", model, "-k", self.key, "-o", out, "--scheme", scheme, *more]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=os.environ | TIME)
        if done.returncode == 3:
            return done.stderr.splitlines()[0].split(": ", 2)[-1]
        if done.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
        return None

    def check(self, file, *more):
        """A mark of either scheme counts."""
        command = [self.program, "check", file, "--pub", self.pub, "--scheme", "deepisign", "--json", "--all", *more]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode not in (0, 1, 4):
            raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout}")
        seal = json.loads(done.stdout)["checks"][0]
        if seal["outcome"] == "not-found":
            return Finding("lost", 0, seal.get("tensors_total", 0), None)
        changed = [tensor for tensor in seal["tensors"] if tensor["outcome"] != "intact"]
        rates = [tensor["bit_error_rate"] for tensor in changed if tensor.get("bit_error_rate") is not None]
        return Finding("intact" if done.returncode == 0 else "tampered", len(changed), seal.get("tensors_total", 0),
                       100 * sum(rates) / len(rates) if rates else 0)


class Count:
    """Checks of one row under one scheme."""

    def __init__(self):
        self.tried = self.noticed = self.lost = 0
        self.rates = []

    def add(self, finding):
        self.tried += 1
        self.noticed += finding.noticed
        self.lost += finding.outcome == "lost"
        if finding.outcome == "tampered" and finding.bit_error_rate is not None:
            self.rates.append(finding.bit_error_rate)

    def share(self):
        return round(100 * self.noticed / self.tried, 1) if self.tried else None

    def cells(self, scheme):
        """For a row: counts for JSON, and one cell to read."""
        if not self.tried:
            return {scheme: None}
        shown = f"{self.noticed} of {self.tried}" + (f" ({self.lost} lost)" if self.lost else "")
        return {scheme: shown, f"{scheme}_noticed": self.noticed, f"{scheme}_tried": self.tried, f"{scheme}_lost": self.lost,
                f"{scheme}_percent": self.share(),
                f"{scheme}_bit_error_rate": round(sum(self.rates) / len(self.rates), 2) if self.rates else None}


# A scheme that misses what it is made for was not compared fairly, and a false alarm is a fault in any scheme.
def broken_bounds(rows):
    """Rows have `attack`, `control`, and the cells of Count."""
    if not any(row["control"] for row in rows) or not any(not row["control"] for row in rows):
        yield "the table is empty, or has no control"
    for row in rows:
        where = f"{row['network']}: {row['attack']}"
        for scheme in SCHEMES:
            if row["control"] and row.get(f"{scheme}_noticed"):
                yield f"{where}: {row[scheme]} false alarms by {scheme}"
        if not row["control"] and row.get("modelseal_noticed") != row.get("modelseal_tried"):
            yield f"{where}: modelseal noticed {row['modelseal']}"
