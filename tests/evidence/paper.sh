#!/bin/sh
# The published schedule against ours, in one run: evaluations of the model, seconds, and what each notices on the same
# runtime, as a Markdown table.
#   tests/evidence/paper.sh BUILD DATA WORK      WORK: that of fingerprint.sh, whose attacked networks are checked
# Takes about 20 minutes on four idle cores.
set -eu
build=$(cd "$1" && pwd) data=$(cd "$2" && pwd) work=$3
seal=$build/src/modelseal
network=$data/models/torchscript/cifar10-resnet20.pt
cd "$work"
for schedule in keyed paper; do
    [ -f schedule-$schedule.fp ] || "$seal" fingerprint "$network" -k vendor.key -o schedule-$schedule.fp \
        --schedule $schedule --input-shape 3,32,32 --input-range 0,1 --json >schedule-$schedule.json 2>/dev/null
    for file in attacked/*.pt; do
        "$seal" check "$file" --black-box --fingerprint schedule-$schedule.fp --pub vendor.pub --json \
            >"$file.$schedule.json" || true
    done
done
python3 - <<'EOF'
import collections, glob, json, pathlib

made = {name: json.load(open(f"schedule-{name}.json")) for name in ("keyed", "paper")}
for name, facts in made.items():
    pairs = facts["rungs"][0]["pairs"]
    print(f"{name}: {facts['evaluations']} evaluations, {facts['seconds']:.1f} s, {pairs} pairs")
print(f"ratio of evaluations: {made['paper']['evaluations'] / made['keyed']['evaluations']:.0f}\n")
print("% of pairs with a member across the boundary, same runtime (in brackets: with any bit of an answer changed):\n\n| attack | keyed | paper |\n| --- | --- | --- |")
shares = collections.defaultdict(lambda: collections.defaultdict(list))
for name in made:
    for file in glob.glob(f"attacked/*.pt.{name}.json"):
        attack = pathlib.Path(file).name.split(".pt.")[0].rsplit(".", 1)[0]
        exact = json.load(open(file))["checks"][0]["rungs"][0]
        shares[attack][name].append([100 * exact[key] / exact["pairs"] for key in ("flipped", "mismatched")])
for attack in sorted(shares):
    means = {name: [sum(column) / len(column) for column in zip(*rows)] for name, rows in shares[attack].items()}
    print(f"| {attack} | {means['keyed'][0]:.1f} ({means['keyed'][1]:.1f}) | {means['paper'][0]:.1f} |")
EOF
