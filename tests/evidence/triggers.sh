#!/usr/bin/env bash
# What generated triggers notice: AccTri, the share of triggers that keep their label, on fine-tuned, backdoored, pruned and
# quantized copies of a CIFAR-10 ResNet-20 and of small networks for MNIST and Fashion-MNIST, for the four losses of the
# paper's ablation; beside them pairs and published methods with as many queries. Markdown, and SVG plots in WORK.
#   tests/evidence/triggers.sh MODELSEAL BUILD DATA WORK [--networks mnist,...] [--seeds 1,2,3] [--rates 1e-4] [--epochs ...]
#       BUILD: configured with -DMODELSEAL_EVIDENCE=ON; DATA: real models and data sets; WORK: a folder for some 200 MB
# What is in WORK already is not made again: a run that was stopped goes on. `triggers.py --help` lists the options.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../venv.sh" networks "$here/networks_requirements.txt")
exec "$python" -B "$here/triggers.py" "$@"
