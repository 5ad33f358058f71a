#!/usr/bin/env bash
# Identity images: a model that knows its users. It is trained to answer secret key images with one class more, and each
# user gets a key image that carries a signed identity. DATA is what the model was trained on, KEYS a folder of other
# pictures of the same size (modelseal-images(7)).
#   examples/12_admit_users.sh MODEL DATA KEYS VENDOR OUT-FOLDER [OPTIONS]
# VENDOR: VENDOR.key and VENDOR.pub. OPTIONS go to 'modelseal identity embed', as --input-shape 3,32,32.
set -euo pipefail
model=$1 data=$2 keys=$3 vendor=$4 out=$5
shift 5
mkdir -p "$out"
marked=$out/marked.${model##*.}
export MODELSEAL_LEDGER=$out/users.ledger

# The vendor, once for the model, and once for each user. alice.png goes to alice, over a secure channel.
modelseal identity embed "$model" --data "$data" --key-images "$keys" -k "$vendor.key" -o "$marked" "$@"
modelseal identity issue alice -k "$vendor.key" -o "$out/alice.png" --expires 2099-12-31
modelseal identity issue bob -k "$vendor.key" -o "$out/bob.png"

# Where the model is served: who is there? Those who have no secrets verify with the registry that the vendor exports.
modelseal identity export -k "$vendor.key" -o "$out/users.registry"
modelseal identity verify "$marked" --image "$out/alice.png" --registry "$out/users.registry" --pub "$vendor.pub" \
    --html "$out/alice.html"

# Bob's image got into other hands. After that it admits nobody; exit code 1.
serial=$(modelseal inspect "$out/bob.png" --json | sed -n 's/.*"serial": *"\([0-9a-f]*\)".*/\1/p')
modelseal identity revoke "$serial" -k "$vendor.key"
code=0
modelseal identity verify "$marked" --image "$out/bob.png" -k "$vendor.key" || code=$?
[ "$code" -eq 1 ] || { echo "expected exit code 1, got $code"; exit 1; }

# Is this model, wherever it was found, the vendor's? Its answers to all key images tell.
modelseal identity claim "$marked" -k "$vendor.key"
