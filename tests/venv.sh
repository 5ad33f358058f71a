#!/usr/bin/env bash
# Makes a virtual environment of Python with exactly the packages of a list, once.
#   tests/venv.sh NAME REQUIREMENTS      prints its interpreter
#
# It lies in the cache (XDG_CACHE_HOME). Exits 1, saying why, if it cannot be had here; the tests that want it then skip.
set -euo pipefail
name=$1 wanted=$2
folder=${XDG_CACHE_HOME:-$HOME/.cache}/modelseal/$name-$(sha256sum "$wanted" | cut -c1-12)
no() { echo "no environment '$name' for Python: $*" >&2; exit 1; }

if [ ! -e "$folder/complete" ]; then
    python3 -m venv --clear "$folder" >&2 || no "it cannot be made"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement "$wanted" >&2 ||
        no "its packages cannot be had"
    touch "$folder/complete"
fi
echo "$folder/bin/python3"
