#!/usr/bin/env bash
# Signatures on a small network: sign it in a pipeline, verify it without modelseal, change a weight, replace the keys.
# Uses the modelseal on the PATH, or builds it.
. "$(dirname "$(readlink -f "$0")")/begin.sh"
build_if_missing plain small_network
export MODELSEAL_PASSPHRASE=example
mkdir model
small_network model/network.safetensors
printf '{"classes": 10}' >model/config.json
modelseal keygen 2026 --quiet
modelseal keygen 2026-sign --type p384 --quiet

say "$examples/6_sign_in_a_pipeline.sh" model 2026-sign.key 2026-sign.pub model.sig
say "$examples/7_verify_without_modelseal.sh" model model.sig 2026-sign.pub
say modelseal inspect model.sig

cp -r model tampered
printf '{"classes": 11}' >tampered/config.json
expect 1 modelseal verify tampered --signature model.sig --pub 2026-sign.pub
expect 1 "$examples/7_verify_without_modelseal.sh" tampered model.sig 2026-sign.pub

modelseal seal model/network.safetensors -k 2026.key -o shipped.safetensors --quiet
say "$examples/8_replace_a_key.sh" model/network.safetensors shipped.safetensors 2026 2027 sealed.safetensors
