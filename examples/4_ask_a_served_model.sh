#!/usr/bin/env bash
# A model that can only be queried: the vendor makes a fingerprint for one customer, and the customer asks whoever
# serves the model. SERVED is a URL (http://HOST/v2/models/NAME), exec:COMMAND, or here a file that is run, not read.
#   examples/4_ask_a_served_model.sh MODEL VENDOR.key CUSTOMER SERVED
set -euo pipefail
model=$1 key=$2 customer=$3 served=$4

# The vendor, once for each customer. CUSTOMER.check and CUSTOMER.fp go to the customer, over a secure channel.
[ -e "$customer.check" ] || modelseal keygen "$customer" --type check -k "$key"
[ -e "$customer.fp" ] || modelseal fingerprint "$model" -k "$key" --for "$customer.check" -o "$customer.fp"

# The customer, as often as wanted: 0 is the model that was sold, 1 another one, 3 nobody answered.
modelseal check "$served" --key "$customer.check" --fingerprint "$customer.fp" --black-box
