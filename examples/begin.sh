# What try*.sh begin with: they source it. Afterwards the programs are on the PATH, and the shell is in a folder that is
# removed at the end.
#   . begin.sh; build plain|torch PROGRAM...
set -euo pipefail
examples=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# Installs what is needed (Debian 12), and builds the programs: 'plain' in whatever way this tree is configured, 'torch' with
# the worker that runs models.
build() {
    local kind=$1
    shift
    (
        cd "$examples/.."
        if [ "$kind" = torch ]; then
            .ci/install packages-program packages-tests
            cmake --preset dev -DMODELSEAL_TORCH=ON
            set -- "$@" modelseal_worker
        else
            .ci/install packages-program
            [ -e build/build.ninja ] || cmake --preset dev -DMODELSEAL_TESTS=OFF -DMODELSEAL_TORCH=OFF
        fi
        cmake --build --preset dev --target modelseal_program "$@"
    ) >/tmp/modelseal-build.log 2>&1 || { cat /tmp/modelseal-build.log; exit 1; }
    PATH=$(readlink -f "$examples/..")/build/src:$(readlink -f "$examples/..")/build/examples:$PATH
}

# The same, unless all of them are on the PATH already.
build_if_missing() {
    command -v modelseal "${@:2}" >/dev/null || build "$@"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

say() { printf '\n$ %s\n' "$*"; "$@"; }

# expect CODE COMMAND...: runs a command that must end with this exit code.
expect() {
    local expected=$1 code=0
    shift
    say "$@" || code=$?
    [ "$code" -eq "$expected" ] || { echo "expected exit code $expected, got $code"; exit 1; }
}

# flip FILE BYTE BITS: inverts bits of the byte at this offset.
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "$(printf '\\x%02x' $((byte ^ $3)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
