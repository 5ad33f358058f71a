#!/usr/bin/env bash
# Fingerprints on a small network: make one for a customer, query the model, change one weight, query again. Uses the
# modelseal on the PATH, or builds it with LibTorch.
. "$(dirname "$(readlink -f "$0")")/begin.sh"
build_if_missing torch small_network
small_network network.onnx
modelseal keygen vendor --no-passphrase --quiet

say "$examples/4_ask_a_served_model.sh" network.onnx vendor.key acme network.onnx

# A weight of the last layer changes by about a thousandth.
at=$(modelseal inspect network.onnx | awk '$1 == "layers.2.weight" { gsub(",", "", $NF); print $NF + 1 }')
cp network.onnx tampered.onnx
flip tampered.onnx "$at" 32
say modelseal diff network.onnx tampered.onnx || true
expect 1 "$examples/4_ask_a_served_model.sh" network.onnx vendor.key acme tampered.onnx

# The same by generated triggers. They are farther from the borders between classes than pairs, and notice larger changes:
# here half of the weights of a layer is pruned.
say "$examples/11_generated_triggers.sh" network.onnx vendor network.onnx triggers --width 16 --triggers 50
at=$(modelseal inspect network.onnx | awk '$1 == "layers.1.weight" { gsub(",", "", $NF); print $NF }')
cp network.onnx pruned.onnx
dd if=/dev/zero of=pruned.onnx bs=1 seek="$at" count=16384 conv=notrunc status=none
say modelseal diff network.onnx pruned.onnx || true
expect 1 "$examples/11_generated_triggers.sh" network.onnx vendor pruned.onnx triggers
