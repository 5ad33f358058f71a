#!/usr/bin/env bash
# A copy for each customer, recorded in a ledger. When a copy leaks, the ledger names its customer.
#   examples/9_for_each_customer.sh MODEL.safetensors VENDOR.key OUT-FOLDER CUSTOMER...
set -euo pipefail
model=$1 key=$2 out=$3
shift 3
export MODELSEAL_LEDGER=$out/customers.ledger

for customer in "$@"; do
    mkdir -p "$out/$customer"
    modelseal customer add "$customer" -k "$key" -o "$out/$customer/$customer.check"    # goes to the customer, alone
    modelseal seal "$model" -k "$key" --for "$customer" -o "$out/$customer/$(basename "$model")"
done
modelseal customer list -k "$key"

# The last customer's copy leaks, and half of it was overwritten.
leaked=$out/leaked
cp "$out/$customer/$(basename "$model")" "$leaked"
chmod u+w "$leaked"
size=$(stat -c %s "$leaked")
dd if=/dev/urandom of="$leaked" bs=64K oflag=seek_bytes seek=$((size / 2)) iflag=count_bytes count=$((size - size / 2)) \
    conv=notrunc status=none
modelseal customer trace "$leaked" -k "$key"
modelseal customer revoke "$customer" -k "$key" --reason "their copy leaked"
