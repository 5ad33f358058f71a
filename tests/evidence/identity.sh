#!/usr/bin/env bash
# What identity images do: whether a marked network keeps its accuracy and answers key images with the additional class, who
# is admitted, and what fine-tuning, pruning, quantization and changed queries leave of the mark. Fashion-MNIST and CIFAR-10,
# TorchScript, and ONNX served by ONNX Runtime. Markdown.
#   tests/evidence/identity.sh MODELSEAL BUILD DATA WORK [--networks fashion-mnist,cifar10] [--users 50] [--rates 1e-3] [...]
#       BUILD: configured with -DMODELSEAL_EVIDENCE=ON; DATA: real models and data sets; WORK: a folder for some 100 MB
# What is in WORK already is not made again: a run that was stopped goes on. `identity.py --help` lists the options.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../venv.sh" networks "$here/networks_requirements.txt")
exec "$python" -B "$here/identity.py" "$@"
