#!/usr/bin/env bash
# The same signature without modelseal: openssl verifies the signature, sha256sum the files that it lists, and the
# reference tool of OpenSSF Model Signing everything, if it is installed (pip install model-signing).
#   examples/7_verify_without_modelseal.sh MODEL SIG SIGNER.pub
set -euo pipefail
model=$(readlink -f "$1") sig=$(readlink -f "$2") pub=$(readlink -f "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The signed bytes: the payload after its type and length (DSSE). In the payload: the digests of the files.
python3 - "$sig" "$work" "$model" <<'PYTHON'
import base64, json, os, pathlib, sys

signature, work, model = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
envelope = json.load(open(signature))["dsseEnvelope"]
payload = base64.b64decode(envelope["payload"])
kind = envelope["payloadType"]
(work / "signed").write_bytes(f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
(work / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
predicate = json.loads(payload)["predicate"]
how = predicate["serialization"]
if (how["method"], how["hash_type"]) != ("files", "sha256"):
    sys.exit("this example supports signatures of complete files with SHA-256 only")
with open(work / "digests", "w") as out:
    for resource in predicate["resources"]:
        # A model of one file is called "."; sha256sum escapes backslashes and line ends.
        name = os.path.normpath(os.path.join(model, resource["name"]))
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
        out.write(f"{'' if escaped == name else chr(92)}{resource['digest']}  {escaped}\n")
PYTHON

case $(openssl ec -pubin -in "$pub" -noout -text 2>/dev/null | sed -n 's/^ASN1 OID: //p') in
    prime256v1) hash=sha256 ;;
    secp384r1) hash=sha384 ;;
    secp521r1) hash=sha512 ;;
    *) echo "$pub: not a key for model signatures" >&2; exit 1 ;;
esac
openssl dgst "-$hash" -verify "$pub" -signature "$work/signature" "$work/signed"
sha256sum --check --strict --quiet "$work/digests"
echo "files as signed: $(wc -l <"$work/digests"); unsigned files are not detected this way"

if command -v model_signing >/dev/null; then
    model_signing verify key "$model" --signature "$sig" --public_key "$pub"
else
    echo "the reference tool is not installed: pip install model-signing"
fi
