#!/usr/bin/env bash
# A query-only model: the vendor makes a fingerprint for one customer, and the customer checks the served model with it.
# SERVED is a URL (http://HOST/v2/models/NAME), exec:COMMAND, or a file that is run instead of read.
#   examples/4_ask_a_served_model.sh MODEL VENDOR.key CUSTOMER SERVED
set -euo pipefail
model=$1 key=$2 customer=$3 served=$4

# The vendor, once for each customer. CUSTOMER.check and CUSTOMER.fp go to the customer, over a secure channel.
[ -e "$customer.check" ] || modelseal keygen "$customer" --type check -k "$key"
[ -e "$customer.fp" ] || modelseal fingerprint "$model" -k "$key" --for "$customer.check" -o "$customer.fp"

# The customer, at any time. Exit code 0: the model that was sold; 1: another one; 3: no answer.
modelseal check "$served" --key "$customer.check" --fingerprint "$customer.fp" --black-box
