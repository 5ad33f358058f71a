#!/usr/bin/env bash
# Replaces a vendor's keys without a day on which customers cannot check: OLD.key seals and OLD-sign.key signs so far,
# NEW.key and NEW-sign.key, made here, will. MODEL is the original, or what 'unseal' brings back; SHIPPED is its
# sealed copy under the old key.
#   MODELSEAL_PASSPHRASE=... examples/8_replace_a_key.sh MODEL SHIPPED OLD NEW OUT
set -euo pipefail
model=$1 shipped=$2 old=$3 new=$4 out=$5

# The vendor. The old key vouches for the new ones, so that nobody must take them on faith.
modelseal keygen "$new"
modelseal keygen "$new-sign" --type p256
mkdir "$new.keys"
cp "$new.pub" "$new-sign.pub" "$new.keys"
modelseal sign "$new.keys" -k "$old-sign.key" -o "$new.keys.sig" --no-tensors

# Customers, once.
modelseal verify "$new.keys" --signature "$new.keys.sig" --pub "$old-sign.pub"

# The vendor: every model from now on. The new seal names the one that it takes the place of. Customers with check keys
# of their own get new ones (keygen CUSTOMER --type check -k NEW.key), since a check key belongs to a vendor's key.
modelseal seal "$model" -k "$new.key" -o "$out" --parent "$shipped" --parent-pub "$old.pub"
modelseal sign "$out" -k "$new-sign.key" -o "$out.sig"

# Customers, as long as both are around: either key will do. When nothing of the old key is in use any more, they drop
# it, and the vendor destroys OLD.key and OLD-sign.key.
modelseal check "$shipped" "$out" --pub "$old.pub" --pub "$new.pub"
modelseal verify "$out" --signature "$out.sig" --pub "$old-sign.pub" --pub "$new-sign.pub"
