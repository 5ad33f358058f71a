#!/usr/bin/env bash
# The C library exports the functions that its header declares, under their version, and nothing else.
#   tests/capi/exports.sh LIBRARY HEADER
set -euo pipefail
diff <(grep -o '\bmodelseal_[a-z_]*(' "$2" | tr -d '(' | sort -u | sed 's/$/@@MODELSEAL_1/') \
     <(nm -D --defined-only "$1" | awk '$3 != "MODELSEAL_1" && $3 != "MODELSEAL_1@@MODELSEAL_1" {print $3}' | sort -u) &&
    echo "only what the header declares is exported"
