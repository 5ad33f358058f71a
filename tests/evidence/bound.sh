#!/usr/bin/env bash
# What a customer's seal changes, by size and type of a model, beside its bound, and how often it names the customer where
# nine blocks in ten were overwritten.
#   tests/evidence/bound.sh MODELSEAL [TRIES] [SIZE...]      60 tries; 1e3 1e4 3e4 1e5 3e5 1e6 2e6 4e6 1e7 by default
# Prints a table in Markdown. A model of 1e9 weights takes 12 GB in TMPDIR; from 2e7 on nothing is overwritten.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../venv.sh" evidence "$here/trace_requirements.txt")
program=$(realpath "$1") tries=${2:-60}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- 1e3 1e4 3e4 1e5 3e5 1e6 2e6 4e6 1e7
exec "$python" -B "$here/bound.py" "$program" "$tries" "$@"
