#!/usr/bin/env bash
# Fetches ONNX Runtime for Node.js, which tests/oracle/oip_server.mjs serves models with: an engine that is not ours.
#   tests/oracle/onnxruntime.sh      prints the folder to be given as MODELSEAL_ONNXRUNTIME
#
# The folder is MODELSEAL_ONNXRUNTIME, or in the cache (XDG_CACHE_HOME). Only what Linux on x86-64 needs is kept; the
# packages' install scripts are not run. Exits 1, saying why, if it cannot be had here; the tests then skip.
set -euo pipefail

version=1.30.0
registry=${npm_config_registry:-https://registry.npmjs.org}
folder=${MODELSEAL_ONNXRUNTIME:-${XDG_CACHE_HOME:-$HOME/.cache}/modelseal/onnxruntime-$version}
no() { echo "no ONNX Runtime: $*" >&2; exit 1; }

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || no "this is not Linux on x86-64"
command -v node >/dev/null || no "node is not installed"
if [ -f "$folder/node_modules/onnxruntime-node/package.json" ]; then echo "$folder"; exit 0; fi

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT

# fetch PACKAGE SHA512 MEMBER...: unpacks these members; the digest is the registry's integrity value.
fetch() {
    local package=$1 sha512=$2 archive=$work/$1.tgz
    shift 2
    curl -fsSL --retry 3 --max-time 600 -o "$archive" "${registry%/}/$package/-/$package-$version.tgz" ||
        no "$package cannot be downloaded"
    [ "$(openssl dgst -sha512 -binary "$archive" | base64 -w0)" = "$sha512" ] || no "$package has another digest"
    mkdir -p "$work/node_modules/$package"
    tar -xzf "$archive" -C "$work/node_modules/$package" --no-same-owner --strip-components=1 "$@"
    rm "$archive"
}
fetch onnxruntime-common 7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA== package
fetch onnxruntime-node twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw== \
    package/package.json package/dist package/bin/napi-v6/linux/x64
chmod 755 "$work"
# Whole or not at all; another run may have been faster.
mv -T "$work" "$folder" 2>/dev/null || [ -f "$folder/node_modules/onnxruntime-node/package.json" ] ||
    no "$folder cannot be written"
echo "$folder"
