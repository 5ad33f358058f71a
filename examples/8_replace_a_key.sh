#!/usr/bin/env bash
# Replaces a vendor's keys without a day on which customers cannot check. OLD.key sealed and OLD-sign.key signed until
# now; NEW.key and NEW-sign.key, made here, will. MODEL is the original, from an archive or from 'unseal'; SHIPPED is its
# sealed copy under the old key.
#   MODELSEAL_PASSPHRASE=... examples/8_replace_a_key.sh MODEL SHIPPED OLD NEW OUT
set -euo pipefail
model=$1 shipped=$2 old=$3 new=$4 out=$5

# The vendor signs the new keys with the old one, so that customers can verify them.
modelseal keygen "$new"
modelseal keygen "$new-sign" --type p256
mkdir "$new.keys"
cp "$new.pub" "$new-sign.pub" "$new.keys"
modelseal sign "$new.keys" -k "$old-sign.key" -o "$new.keys.sig" --no-tensors

# Customers, once.
modelseal verify "$new.keys" --signature "$new.keys.sig" --pub "$old-sign.pub"

# The vendor, for every model from now on. The new seal names the one that it replaces. Customers with a check key get a
# new one (keygen CUSTOMER --type check -k NEW.key), because a check key belongs to a vendor's key.
modelseal seal "$model" -k "$new.key" -o "$out" --parent "$shipped" --parent-pub "$old.pub"
modelseal sign "$out" -k "$new-sign.key" -o "$out.sig"

# Customers accept either key as long as both are in use. Once nothing under the old key is in use any more, they remove
# it, and the vendor destroys OLD.key and OLD-sign.key.
modelseal check "$shipped" "$out" --pub "$old.pub" --pub "$new.pub"
modelseal verify "$out" --signature "$out.sig" --pub "$old-sign.pub" --pub "$new-sign.pub"
