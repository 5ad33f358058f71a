#!/usr/bin/env bash
# Whether a stranger tells a customer's seal from none: a table by type of weights, as Markdown and JSON.
#   tests/evidence/trace.sh MODELSEAL WORK OUTPUT [OPTION...]
#       MODELSEAL: the program; WORK: a folder for keys and files; OUTPUT: where LABEL.md and LABEL.json go
#       OPTION: --nets N (64), --keys N (3), --types f32,q8_0,... (all), --label NAME (trace), --jobs N (2)
# Published models are those of MODELSEAL_TEST_DATA. Takes about 15 minutes on two cores; --nets 8 one minute.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=${MODELSEAL_TEST_DATA:-$here/../../../shared/data}
python=$("$here/../venv.sh" evidence "$here/trace_requirements.txt")
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
[ -d "$data/models" ] || { echo "trace.sh: no models in $data; set MODELSEAL_TEST_DATA" >&2; exit 1; }
program=$(realpath "$1") work=$2 output=$3
shift 3
exec "$python" "$here/trace.py" --program "$program" --data "$data/models" --work "$work" --output "$output" "$@"
