"""Which networks get a fingerprint, how often, and what it costs: a Markdown table.

    reach.py MODELSEAL FOLDER [--tries 20] [--first 1] [--pairs 30] [--only NAME]

FOLDER is searched for TorchScript and ONNX files. Every try has another seed, from the first one on (so that a
long run can be taken up again), and every fingerprint that is made is checked against
its network once, in batches of another size: anything but "intact" or "other runtime" is a failure. "0 to 1 is assumed" for the range
of inputs counts as an answer. What a file does not state about its inputs is given here, by name.
"""
import argparse
import json
import pathlib
import statistics
import tempfile

import program

# Files that do not say what they take; a network of several inputs has them by name.
INPUTS = {
    "asl.ptl": ["--input-shape", "3,224,224"],
    "cifar10-resnet20.pt": ["--input-shape", "3,32,32"],
    "mobilenet_v2_quantized_imagenet_a.pt": ["--input-shape", "3,224,224"],
    "silero_vad.jit": ["--input", "x=1,512:-1,1", "--input", "sr=:16000"],
    "silero_vad.onnx": ["--input", "input=1,512:-1,1", "--input", "state=2,1,128:-1,1", "--input", "sr=:16000"],
    "vit4mnist_android.ptl": ["--input-shape", "1,28,28"],
}
KINDS = (".onnx", ".pt", ".ptl", ".jit", ".pth", ".tar", ".th")


class Reached:
    def __init__(self):
        self.made = self.intact = 0
        self.seconds, self.peaks = [], []
        self.coverage = None
        self.reasons = set()

    def row(self, name, size, tries):
        if not self.made:
            return f"| {name} | {size / 1e6:.1f} | 0 of {tries} | | | | | {'; '.join(sorted(self.reasons))} |"
        covered = "" if self.coverage is None else f"{100 * self.coverage:.1f}"
        return (f"| {name} | {size / 1e6:.1f} | {self.made} of {tries} | {self.intact} | {statistics.median(self.seconds):.1f} | "
                f"{max(self.peaks):.0f} | {covered} | {'; '.join(sorted(self.reasons))} |")


def reason(run):
    lines = [line for line in run.err.splitlines() if line.startswith("modelseal: ") and "warning:" not in line and "hint:" not in line]
    return lines[0].split(": ", 2)[-1] if lines else f"exit code {run.code}"


def attempt(modelseal, network, seed, pairs, work, reached):
    given = INPUTS.get(network.name, [])
    fingerprint = work / "net.fp"
    fingerprint.unlink(missing_ok=True)
    made = program.run(modelseal, "fingerprint", network, "-k", work / "v.key", "-o", fingerprint, "--pairs", pairs, "--seed", seed,
                       "--json", *given)
    if made.code != 0:
        reached.reasons.add(reason(made))
        return
    facts = json.loads(made.out)
    reached.made += 1
    reached.seconds.append(made.seconds)
    reached.peaks.append(made.peak)
    if facts.get("coverage"):
        reached.coverage = facts["coverage"]["noticed"] / facts["coverage"]["weights"]
    checked = program.run(modelseal, "check", network, "--fingerprint", fingerprint, "--pub", work / "v.pub", "--black-box", "--batch", 3,
                          "--json")
    outcome = json.loads(checked.out)["checks"][0]["outcome"] if checked.out else reason(checked)
    reached.intact += outcome in ("intact", "other-runtime")
    if outcome not in ("intact", "other-runtime"):
        reached.reasons.add(f"check: {outcome}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("modelseal", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="the seed of the first try")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--only", default="", help="networks whose path has this in it")
    options = parser.parse_args()
    networks = sorted(path for path in options.folder.rglob("*") if path.suffix in KINDS and options.only in str(path))
    print(f"{options.pairs} pairs, {options.tries} tries with seeds from {options.first}. Intact: of those, checked in batches of 3. Seconds: the median; MiB: "
          "the largest process of any try.\n")
    print("| network | MB | made | intact | seconds | MiB | covered % | why not |\n| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        program.must(options.modelseal, "keygen", "v", "--no-passphrase", folder=work)
        for network in networks:
            reached = Reached()
            for tried in range(options.tries):
                attempt(options.modelseal, network, options.first + tried, options.pairs, work, reached)
                if tried == 2 and not reached.made:  # it is not luck
                    break
            name = network.relative_to(options.folder)
            print(reached.row(name, network.stat().st_size, options.tries if reached.made else 3), flush=True)


if __name__ == "__main__":
    main()
