# For the tests beside it: a list of small models in a folder of their own, and what a fleet made of them compared with one process.
#   . fleet.sh; make_fleet COUNT
# Expects modelseal and small_network in PATH. Sets $work, which is removed at the end.
work=$(mktemp -d "${TMPDIR:-/tmp}/modelseal-fleet.XXXXXX")
skip() { echo "skipped: $*"; exit 77; }
fail() { echo "failed: $*" >&2; exit 1; }

# COUNT sealed models, by two vendors, of which three are not as they should be, and one more line that names nothing.
make_fleet() {
    local count=$1 i
    mkdir "$work/models" "$work/keys" "$work/results"
    for vendor in acme beta; do
        modelseal keygen "$work/$vendor" --no-passphrase >/dev/null
        cp "$work/$vendor.pub" "$work/keys"
    done
    small_network "$work/plain.safetensors"
    for vendor in acme beta; do
        modelseal seal "$work/plain.safetensors" -k "$work/$vendor.key" -o "$work/$vendor.safetensors" >/dev/null
    done
    for ((i = 0; i < count; i += 2)); do
        cp "$work/acme.safetensors" "$work/models/$i.safetensors"
        cp "$work/beta.safetensors" "$work/models/$((i + 1)).safetensors"
    done
    chmod -R u+w "$work/models"
    cp "$work/plain.safetensors" "$work/models/3.safetensors"
    echo "no model" >"$work/models/4.safetensors"
    printf '\xff' | dd of="$work/models/5.safetensors" bs=1 seek=20000 conv=notrunc status=none
    for ((i = 0; i < count; i++)); do echo "$work/models/$i.safetensors"; done >"$work/list.txt"
    echo "$work/models/gone.safetensors" >>"$work/list.txt"
}

# What one process finds, into $work/one.jsonl.
check_alone() {
    modelseal check --from "$work/list.txt" --trust "$work/keys" --results "$work/one.jsonl" --quiet >/dev/null 2>&1
    [ $? -eq 1 ] || fail "one model is tampered, so one process exits with 1"
}

# The merged results of the fleet are those of one process, byte for byte.
compare_with_one() {
    modelseal report merge "$work"/results/*.jsonl --json >"$work/fleet.json"
    modelseal report merge "$work/one.jsonl" --json >"$work/one.json"
    cmp "$work/fleet.json" "$work/one.json" || fail "the fleet found something else than one process"
    # Each target once, in all shares together.
    grep -hv '"modelseal-results/1"' "$work"/results/*.jsonl | grep -o '"target":"[^"]*"' | sort >"$work/found"
    sed 's/.*/"target":"&"/' "$work/list.txt" | sort | cmp - "$work/found" || fail "a target is missing, or there twice"
}
