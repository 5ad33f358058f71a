#!/bin/sh
# What fingerprints notice: attacks on a CIFAR-10 network, each checked per pair and per check, as a Markdown table.
#   tests/evidence/fingerprint.sh BUILD DATA WORK [NETWORK.pt]
#       BUILD: configured with -DMODELSEAL_EVIDENCE=ON; DATA: real models and data sets; WORK: a folder for some 200 MB;
#       NETWORK: TorchScript, default DATA/models/torchscript/cifar10-resnet20.pt
# SEEDS ("1 2 3") are those of the attacks. Takes about 10 minutes on four idle cores.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd) data=$(cd "$2" && pwd) work=$3
network=${4:-$data/models/torchscript/cifar10-resnet20.pt}
network=$(cd "$(dirname "$network")" && pwd)/$(basename "$network")
seal=$build/src/modelseal
attack="$build/tests/evidence/modelseal_evidence attack"
# As the program sets them for itself before it loads LibTorch, which this one is linked to.
export OMP_WAIT_POLICY=PASSIVE OPENBLAS_NUM_THREADS=1
mkdir -p "$work"
cd "$work"
rm -rf attacked ./*.fp ./*.json && mkdir attacked
[ -f vendor.key ] || "$seal" keygen vendor --no-passphrase >/dev/null

for kind in logits-none probabilities-none label-none logits-u8 label-u8; do
    "$seal" fingerprint "$network" -k vendor.key -o $kind.fp --input-shape 3,32,32 --input-range 0,1 \
        --access ${kind%-*} --grid ${kind#*-} --json >$kind.json 2>/dev/null
done

train="--data $data/datasets/cifar10/data_batch_1.bin"
unseen="--data $data/datasets/cifar10/test_batch.bin"
make() { # NAME then what attack takes
    name=$1
    shift
    $attack "$network" "attacked/$name.pt" "$@" >"attacked/$name.txt"
}
cp "$network" attacked/untouched.0.pt
for seed in ${SEEDS:-1 2 3}; do
    for rate in 0 1e-9 1e-8 1e-7 1e-6 1e-5; do
        make "finetuned-$rate.$seed" --kind finetune --rate $rate --seed $seed $train
        make "finetuned-on-unseen-$rate.$seed" --kind finetune --rate $rate --seed $seed $unseen
    done
    make "backdoor-1e-5.$seed" --kind backdoor --rate 1e-5 --samples 10 --seed $seed $train
    make "exponent-bit.$seed" --kind exponent --seed $seed
    make "classes-swapped.$seed" --kind swap --seed $seed
done
for share in 0.001 0.01; do make "pruned-$share.0" --kind prune --share $share; done
for kind in int8 fp16 bf16; do make "$kind.0" --kind $kind; done
layer=0
while make "weight-1-percent.$layer" --kind weight --layer $layer 2>/dev/null; do layer=$((layer + 1)); done
rm -f "attacked/weight-1-percent.$layer".*
layer=0
while make "layer-times-1.001.$layer" --kind layer --layer $layer --add 0.001 2>/dev/null; do layer=$((layer + 1)); done
rm -f "attacked/layer-times-1.001.$layer".*

for fp in logits-none probabilities-none label-none logits-u8 label-u8; do
    for file in attacked/*.pt; do
        "$seal" check "$file" --black-box --fingerprint $fp.fp --pub vendor.pub --json >"$file.$fp.json" || true
        # Another batch is another runtime: the rung exact has no say.
        "$seal" check "$file" --black-box --fingerprint $fp.fp --pub vendor.pub --batch 64 --json \
            >"$file.$fp.elsewhere.json" || true
    done
done
python3 "$here/fingerprint.py" attacked . | tee fingerprint.md
