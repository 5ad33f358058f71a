#!/bin/sh
# False alarms of fingerprints: untouched CIFAR-10 networks on honest runtimes. 2,240 runs of files over threads 1 to 4,
# batches 1 to 150, memory formats, kernels, TorchScript against the ONNX import; and as many batches on ONNX Runtime.
# The answers of each run are judged as they are, with 3 to 6 decimals, in half precision and bfloat16, and with noise.
#   tests/evidence/alarms.sh BUILD DATA WORK [RESNET20 RESNET32 [TRIGGERS]]
# BUILD: configured with -DMODELSEAL_EVIDENCE=ON; DATA: real models; WORK: a folder; how many fingerprints of each (5 and 3).
# TRIGGERS: so many of the method generator (0) for the ResNet-20, each against 308 runs, and for the networks that triggers.sh
# left in WORK, each against 280 runs: with 3, there are 2,604.
# Takes about 25 minutes on four idle cores, without TRIGGERS.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd) models=$(cd "$2/models" && pwd) work=$3
seal=$build/src/modelseal
evidence=$build/tests/evidence/modelseal_evidence
# As the program sets them for itself before it loads LibTorch, which this one is linked to.
export OMP_WAIT_POLICY=PASSIVE OPENBLAS_NUM_THREADS=1 MODELSEAL_WORKER=$build/src/modelseal-worker
mkdir -p "$work"
cd "$work"
rm -f alarm-*.fp
[ -f vendor.key ] || "$seal" keygen vendor --no-passphrase >/dev/null
"$evidence" resnet "$models/checkpoint/akamaster-resnet32-d509ac18.th" resnet32.pt >/dev/null

python=$("$here/../oracle/onnxruntime.sh")
serve() { # FILE PORT THREADS OPTIMIZATION
    "$python" "$here/../oracle/oip_server.py" --model "$1" --name net --port "$2" --threads "$3" --optimize "$4" \
        >/dev/null &
    servers="${servers:-} $!"
}
serve "$models/onnx/cifar10-resnet20.onnx" 9101 1 all
serve "$models/onnx/cifar10-resnet20.onnx" 9102 4 disabled
serve "$models/onnx/cifar10-resnet32.onnx" 9103 2 all
[ ! -f mnist.onnx ] || serve mnist.onnx 9104 1 all
[ ! -f fashion-mnist.onnx ] || serve fashion-mnist.onnx 9105 2 all
trap 'kill $servers' EXIT
sleep 3
at=http://127.0.0.1

for number in $(seq "${4:-5}"); do
    fp=alarm-20-$number.fp
    "$seal" fingerprint "$models/torchscript/cifar10-resnet20.pt" -k vendor.key -o $fp --input-shape 3,32,32 \
        --input-range 0,1 --quiet
    "$evidence" alarms $fp --pub vendor.pub "$models/torchscript/cifar10-resnet20.pt" \
        "$models/onnx/cifar10-resnet20.onnx" $at:9101/v2/models/net $at:9102/v2/models/net
done
for number in $(seq "${5:-3}"); do
    fp=alarm-32-$number.fp
    "$seal" fingerprint "$models/onnx/cifar10-resnet32.onnx" -k vendor.key -o $fp --input-range 0,1 --quiet
    "$evidence" alarms $fp --pub vendor.pub resnet32.pt "$models/onnx/cifar10-resnet32.onnx" $at:9103/v2/models/net
done

triggers() { # NAME SHAPE NETWORK TARGET...
    name=$1 shape=$2 network=$3
    shift 3
    for number in $(seq "$count"); do
        fp=alarm-triggers-$name-$number.fp
        "$seal" fingerprint "$network" -k vendor.key -o "$fp" --method generator --triggers 100 --input-shape "$shape" \
            --input-range 0,1 --quiet
        "$evidence" alarms "$fp" --pub vendor.pub "$@"
    done
}
count=${6:-0}
triggers resnet20 3,32,32 "$models/torchscript/cifar10-resnet20.pt" "$models/torchscript/cifar10-resnet20.pt" \
    "$models/onnx/cifar10-resnet20.onnx" $at:9101/v2/models/net $at:9102/v2/models/net
[ ! -f mnist.onnx ] || triggers mnist 1,28,28 mnist.pt mnist.pt mnist.onnx $at:9104/v2/models/net
[ ! -f fashion-mnist.onnx ] || triggers fashion-mnist 1,28,28 fashion-mnist.pt fashion-mnist.pt fashion-mnist.onnx \
    $at:9105/v2/models/net
