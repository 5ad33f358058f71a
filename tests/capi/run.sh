#!/usr/bin/env bash
# Makes keys, a model and its signature, then runs the test of the C interface and the example of its manual page.
#   tests/capi/run.sh PROGRAM C_API_TEST C_PAGE_EXAMPLE
set -euo pipefail
program=$1 test=$2 example=$3
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
"$program" keygen vendor --no-passphrase --quiet
"$program" keygen signer --type p384 --no-passphrase --quiet
"$program" keygen other --type p256 --no-passphrase --quiet
"$program" keygen acme --type check -k vendor.key --quiet
MODELSEAL_PASSPHRASE='correct horse' "$program" keygen locked --quiet
"$test" "$folder" write
"$program" sign net.safetensors --key signer.key --output net.sig --quiet
"$test" "$folder"
# The test has left these.
"$example" vendor.pub sealed.safetensors | grep intact
for file in tampered.safetensors absent; do
    if "$example" vendor.pub "$file" >found.txt 2>&1; then echo "$file is intact?"; exit 1; fi
    grep "$file" found.txt
done
