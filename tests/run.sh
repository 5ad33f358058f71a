#!/usr/bin/env bash
# Installs what is needed (Debian 12), builds, and runs the tests. Real models: MODELSEAL_TEST_DATA.
#   tests/run.sh [PRESET]        dev (default) or asan, of CMakePresets.json
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
preset=${1:-dev}
.ci/install packages
tests/oracle/onnxruntime.sh >/dev/null || echo "the tests against ONNX Runtime will skip"
cmake --preset "$preset"
cmake --build --preset "$preset"
ctest --preset "$preset"
