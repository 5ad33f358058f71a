#!/usr/bin/env bash
# A copy that only one customer can check, and that looks unsealed to everybody else.
#   examples/2_for_one_customer.sh MODEL VENDOR.key CUSTOMER OUT
set -euo pipefail
model=$1 key=$2 customer=$3 out=$4

modelseal keygen "$customer" --type check -k "$key"     # CUSTOMER.check goes to the customer, over a secure channel
modelseal seal "$model" -k "$key" --for "$customer.check" -o "$out"
modelseal check "$out" --key "$customer.check"
