#!/usr/bin/env python3
"""Verifies an OpenSSF model signature as the reference (model_signing 1.1) does, written apart from modelseal.

    reference_reader.py key MODEL SIGNATURE PUBLIC.pem [--schemas DIR]
    reference_reader.py certificate MODEL SIGNATURE ROOT.pem [--schemas DIR]

Exits 0 if it verifies, 1 with a line about why not. Follows the reference's steps and its strictness, from its
documents and from what it was seen to do: only the first signature counts, digests are compared together with the
name of their hash, shards are named by exactly three parts, a bundle has no keys of others. With --schemas, the
bundle and what is in it must also agree with the published JSON schemas, as far as python3-jsonschema is there.
"""
import argparse
import base64
import binascii
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
GIT_PATHS = [".git", ".gitattributes", ".github", ".gitignore"]


class Refused(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Refused(why)


# ---- the bundle: models that know their keys, and no others

def only(where, value, keys):
    need(isinstance(value, dict), f"{where} is not an object")
    unknown = set(value) - set(keys)
    need(not unknown, f"{where}: unknown keys {sorted(unknown)}")


def decoded(where, text):
    need(isinstance(text, str), f"{where} is not a string")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Refused(f"{where}: {error}") from error


def read_bundle(path):
    bundle = json.loads(path.read_text(encoding="utf-8"))
    only("bundle", bundle, ["mediaType", "verificationMaterial", "dsseEnvelope"])
    need(bundle["mediaType"] == MEDIA_TYPE, "mediaType")
    material = bundle["verificationMaterial"]
    only("verificationMaterial", material,
         ["publicKey", "x509CertificateChain", "tlogEntries", "timestampVerificationData"])
    envelope = bundle["dsseEnvelope"]
    only("dsseEnvelope", envelope, ["payload", "payloadType", "signatures"])
    for signature in envelope["signatures"]:
        only("signature", signature, ["sig", "keyid"])
    return bundle


# ---- the signature

def pre_authentication_encoding(payload):
    head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} "
    return head.encode() + payload


def hash_for(key):
    need(isinstance(key, ec.EllipticCurvePublicKey), "not an elliptic curve key")
    table = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
    need(key.curve.name in table, f"curve {key.curve.name}")
    return table[key.curve.name]


def key_of_pem(material, path):
    only("publicKey", material["publicKey"], ["hint", "rawBytes", "keyDetails"])
    key = serialization.load_pem_public_key(path.read_bytes())
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    hint = material["publicKey"].get("hint")
    need(hint is None or hint == hashlib.sha256(pem).hexdigest(), "the hint is of another key")
    return key


def key_of_certificate(material, root):
    only("x509CertificateChain", material["x509CertificateChain"], ["certificates"])
    chain = []
    for entry in material["x509CertificateChain"]["certificates"]:
        only("certificate", entry, ["rawBytes"])
        chain.append(x509.load_der_x509_certificate(decoded("rawBytes", entry["rawBytes"])))
    leaf = chain[0]
    # The reference checks the chain at the time when the leaf begins to be valid.
    begin = getattr(leaf, "not_valid_before_utc", None)  # newer versions of the library
    begin = begin or leaf.not_valid_before.replace(tzinfo=datetime.timezone.utc)
    with tempfile.TemporaryDirectory() as folder:
        leaf_file, others = pathlib.Path(folder, "leaf.pem"), pathlib.Path(folder, "others.pem")
        leaf_file.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        others.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain[1:]))
        command = ["openssl", "verify", "-attime", str(int(begin.timestamp())), "-CAfile", str(root)]
        command += ["-untrusted", str(others)] if chain[1:] else []
        done = subprocess.run(command + [str(leaf_file)], capture_output=True, text=True)
        need(done.returncode == 0, f"the certificate does not hold: {done.stderr.strip()}")
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    if not usage.digital_signature:
        extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        need(x509.oid.ExtendedKeyUsageOID.CODE_SIGNING in extended, "the certificate may not sign")
    return leaf.public_key()


def verify_envelope(envelope, key):
    payload = decoded("payload", envelope["payload"])
    signature = decoded("sig", envelope["signatures"][0]["sig"])
    try:
        key.verify(signature, pre_authentication_encoding(payload), ec.ECDSA(hash_for(key)))
    except InvalidSignature as error:
        raise Refused("the signature does not hold") from error
    need(envelope["payloadType"] == PAYLOAD_TYPE, "payloadType")
    return payload


# ---- the statement, and the model as it should be: a map of places to (name of the hash, digest)

def expected_items(statement):
    need(statement["_type"] == "https://in-toto.io/Statement/v1", "_type")
    need(statement["predicateType"] == "https://model_signing/signature/v1.0", "predicateType")
    need(len(statement["subject"]) == 1, "not one subject")
    predicate = statement["predicate"]
    items, root = {}, hashlib.sha256()
    for resource in predicate["resources"]:
        digest = bytes.fromhex(resource["digest"])
        root.update(digest)
        if predicate["serialization"]["method"] == "shards":
            parts = resource["name"].split(":")
            need(len(parts) == 3, f"{resource['name']}: not three parts")
            place = (pathlib.PurePosixPath(parts[0]), int(parts[1]), int(parts[2]))
        else:
            place = pathlib.PurePosixPath(resource["name"])
        items[place] = (resource["algorithm"], digest)
    need(root.hexdigest() == statement["subject"][0]["digest"]["sha256"], "the root digest is another")
    return items


# ---- the model as it is

def hasher(name):
    table = {"sha256": hashlib.sha256, "blake2b": hashlib.blake2b}
    need(name in table, f"hash {name}")
    return table[name]


def ignored(path, ignore):
    return any(path == each or each in path.parents for each in ignore)


def actual_items(model, serialization_type, ignore):
    make = hasher(serialization_type["hash_type"])
    items = {}
    for path in [model, *model.glob("**/*")]:
        if ignored(path, ignore):
            continue
        need(serialization_type["allow_symlinks"] or not path.is_symlink(), f"{path} is a link")
        need(path.is_file() or path.is_dir(), f"{path} is neither file nor folder")
        if not path.is_file():
            continue
        place = pathlib.PurePosixPath(path.relative_to(model))
        data = path.read_bytes()
        if serialization_type["method"] == "files":
            items[place] = (serialization_type["hash_type"], make(data).digest())
            continue
        size = int(serialization_type["shard_size"])
        name = f"{serialization_type['hash_type']}-sharded-{size}"
        for begin in range(0, len(data), size):
            shard = data[begin:begin + size]
            items[(place, begin, begin + len(shard))] = (name, make(shard).digest())
    return items


def check_schemas(bundle, statement, folder):
    try:
        import jsonschema
    except ImportError:
        return
    schemas = {}
    for path in folder.glob("*.schema.json"):
        schema = json.loads(path.read_text())
        schemas[schema["$id"]] = schema
    resolver = jsonschema.RefResolver("", {}, store=schemas)
    for kind, document in (("bundle", bundle), ("statement", statement), ("predicate", statement["predicate"])):
        schema = schemas[f"https://model_signing/{kind}/v1.0/schema"]
        jsonschema.Draft202012Validator(schema, resolver=resolver).validate(document)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("method", choices=["key", "certificate"])
    for name in ("model", "signature", "trusted"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--schemas", type=pathlib.Path)
    options = parser.parse_args()
    bundle = read_bundle(options.signature)
    material = bundle["verificationMaterial"]
    key_of = {"key": key_of_pem, "certificate": key_of_certificate}[options.method]
    payload = verify_envelope(bundle["dsseEnvelope"], key_of(material, options.trusted))
    statement = json.loads(payload)
    expected = expected_items(statement)
    if options.schemas:
        check_schemas(bundle, statement, options.schemas)
    how = statement["predicate"]["serialization"]
    ignore = [options.model / each for each in GIT_PATHS + how.get("ignore_paths", [])]
    actual = actual_items(options.model, how, ignore)
    need(actual == expected, f"differ: {sorted(map(str, set(actual.items()) ^ set(expected.items())))}")


if __name__ == "__main__":
    try:
        main()
    except (Refused, KeyError, ValueError, x509.ExtensionNotFound) as problem:
        print(f"{type(problem).__name__}: {problem}")
        sys.exit(1)
