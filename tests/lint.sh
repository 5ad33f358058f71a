#!/usr/bin/env bash
# clang-tidy over the sources that the last day of commits touched, the newest twenty at most, or over all of them.
#   tests/lint.sh [all]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
# Not src/torch: clang 14 cannot read LibTorch 1.13's headers as C++20.
sources=('src/*.cc' 'formats/*.cc' ':!src/torch')
if [ "${1:-}" = all ]; then
    mapfile -t files < <(git ls-files "${sources[@]}")
else
    newest=$(git log -1 --format=%ct)
    mapfile -t files < <(git log --since=$((newest - 86400)) --name-only --diff-filter=d --format= -- "${sources[@]}" |
        awk '!seen[$0]++' | while read -r file; do [ -e "$file" ] && echo "$file"; done | head -20)
fi
[ ${#files[@]} -gt 0 ] || { echo "nothing to lint"; exit 0; }
cmake --preset lint >/dev/null
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build-lint
echo "${#files[@]} files are clean"
