#!/bin/sh
# Attacks and edits of a CIFAR-10 ResNet-20 under both schemes, side by side, as a Markdown table.
#   tests/evidence/table.sh BUILD DATA WORK     BUILD: configured with -DMODELSEAL_EVIDENCE=ON; DATA: real models and
#                                               data sets; WORK: a folder for some 50 MB of results
# Takes about 6 minutes on four idle cores; STEPS (100) shortens the training.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd) data=$(cd "$2" && pwd) work=$3
seal=$build/src/modelseal
attack=$build/tests/evidence/modelseal_evidence
graph=$data/models/torchscript/cifar10-resnet20.pt
plain=$data/models/safetensors/cifar10-resnet20.safetensors
train="--data $data/datasets/cifar10/data_batch_1.bin --steps ${STEPS:-100}"
layer=layer3.1.conv1.weight
mkdir -p "$work"
cd "$work"
[ -f vendor.key ] || "$seal" keygen vendor --no-passphrase >/dev/null

for scheme in modelseal deepisign; do
    "$seal" seal "$graph" -k vendor.key -o $scheme.sealed.pt --scheme $scheme --stamp name=resnet20 >/dev/null
    "$seal" seal "$plain" -k vendor.key -o $scheme.sealed.safetensors --scheme $scheme --stamp name=resnet20 >/dev/null
    "$attack" finetune $scheme.sealed.pt $scheme.finetuned.pt $train --lr 0.001
    "$attack" finetune $scheme.sealed.pt $scheme.finetuned-layer3.pt $train --lr 0.001 --layers layer3
    "$attack" finetune $scheme.sealed.pt $scheme.finetuned-last.pt $train --lr 0.001 --layers last
    "$attack" poison $scheme.sealed.pt $scheme.poisoned.pt $train --lr 0.005 --samples 30
    "$attack" output-poison $scheme.sealed.pt $scheme.output-poisoned.pt
    for half in f16 bf16; do
        "$attack" cast $scheme.sealed.safetensors $scheme.$half.safetensors --to $half
    done
    "$attack" move $scheme.sealed.safetensors $scheme.ulp.safetensors --tensor $layer --element 77 --ulps 1
    for step in 1e-5 1e-4 1e-3; do
        "$attack" move $scheme.sealed.safetensors $scheme.$step.safetensors --tensor $layer --element 77 --add $step
    done
    "$attack" approximation $scheme.sealed.safetensors $scheme.bands1-16.safetensors --tensor $layer --relative 0.35
done
for half in f16 bf16; do
    "$attack" cast "$plain" plain.$half.safetensors --to $half
    for scheme in modelseal deepisign; do  # the second cannot
        "$seal" seal plain.$half.safetensors -k vendor.key -o $scheme.sealed-$half.safetensors --scheme $scheme \
            --stamp name=resnet20 >/dev/null || true
    done
done

"$attack" accuracy --data "$data/datasets/cifar10/test_batch.bin" --graph "$graph" "$graph" plain.*.safetensors \
    modelseal.*.pt modelseal.*.safetensors deepisign.*.pt deepisign.*.safetensors | tee accuracy.txt

for file in modelseal.*.pt modelseal.*.safetensors deepisign.*.pt deepisign.*.safetensors; do
    "$seal" check "$file" --pub vendor.pub --scheme deepisign --json --all >"$file.json" || true
done
python3 "$here/table.py" accuracy.txt | tee table.md
