#!/usr/bin/env bash
# Seal and sign with a key that never leaves its token. The token here is SoftHSM2, in software, in a folder of its own
# (Debian: softhsm2, opensc); for a card or a security module, name its library and skip the first part.
#   examples/10_sign_with_a_token.sh MODEL OUT
set -euo pipefail
model=$1 out=$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\n' "$work/tokens" >"$work/softhsm2.conf"
export SOFTHSM2_CONF=$work/softhsm2.conf
export PKCS11_MODULE_PATH=${SOFTHSM2_MODULE:-/usr/lib/softhsm/libsofthsm2.so}
printf '271828\n' >"$work/pin"
softhsm2-util --init-token --free --label release --pin 271828 --so-pin 31415926 >/dev/null
pkcs11-tool --module "$PKCS11_MODULE_PATH" --token-label release --login --pin 271828 \
    --keypairgen --key-type EC:prime256v1 --usage-sign --label vendor --id 01 >/dev/null

key="pkcs11:token=release;object=vendor;type=private?pin-source=$work/pin"
modelseal keygen "$work/vendor" --from 'pkcs11:token=release;object=vendor;type=public' # vendor.pub, for the customers

modelseal seal "$model" -k "$key" -o "$out" --quiet
modelseal sign "$out" -k "$key" --seal-pub "$work/vendor.pub" -o "$out.sig" --quiet

modelseal check "$out" --pub "$work/vendor.pub"
modelseal verify "$out" --signature "$out.sig" --pub "$work/vendor.pub"
