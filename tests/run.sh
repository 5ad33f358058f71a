#!/usr/bin/env bash
# Installs what is needed (Debian 12), builds, and runs the tests. Real models: MODELSEAL_TEST_DATA.
#   tests/run.sh [PRESET [build-only]]        dev (default) or checks, of CMakePresets.json
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
preset=${1:-dev}
lists=(packages-program packages-tests)
[ "$preset" = checks ] && lists+=(packages-checks)
.ci/install "${lists[@]}"
MODELSEAL_ONNXRUNTIME=$(tests/oracle/onnxruntime.sh) || echo "the tests against ONNX Runtime will skip"
export MODELSEAL_ONNXRUNTIME
MODELSEAL_MLSERVER=${MODELSEAL_MLSERVER:-$(tests/venv.sh mlserver tests/oracle/mlserver_requirements.txt)} ||
    echo "the tests against MLServer will skip"
export MODELSEAL_MLSERVER
MODELSEAL_PYTHON=${MODELSEAL_PYTHON:-$(tests/venv.sh python tests/python/requirements.txt)} ||
    echo "the tests of the Python module will skip"
export MODELSEAL_PYTHON
MODELSEAL_REPORTS_PYTHON=${MODELSEAL_REPORTS_PYTHON:-$(tests/venv.sh reports tests/pages/requirements.txt)} ||
    echo "the tests of SARIF and JUnit will skip"
export MODELSEAL_REPORTS_PYTHON
MODELSEAL_HOOK_PYTHON=${MODELSEAL_HOOK_PYTHON:-$(tests/venv.sh hook tests/hook/requirements.txt)} ||
    echo "the tests of the definitions for pre-commit and GitHub Actions will skip"
export MODELSEAL_HOOK_PYTHON
MODELSEAL_ONNX_CASES=$(tests/torch/onnx_cases.sh) || echo "the test of all cases of ONNX will skip"
export MODELSEAL_ONNX_CASES
torch=ON
# The sanitized tests talk to the worker of the daily build: LibTorch is not made for sanitizers.
[ "$preset" = checks ] && torch=OFF && export MODELSEAL_WORKER=${MODELSEAL_WORKER:-$PWD/build/src/modelseal-worker}
cmake --preset "$preset" -DMODELSEAL_TESTS=ON -DMODELSEAL_TORCH=$torch
cmake --build --preset "$preset"
[ "${2:-}" = build-only ] || ctest --preset "$preset"
