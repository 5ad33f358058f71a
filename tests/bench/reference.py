"""The reference signer (model-signing from PyPI), asked in lines of JSON on standard input; answers a line each: {"ok": ..., "said": ...}.

    {"do": "sign", "model": PATH, "signature": PATH, "key": PEM, ["certificate": PEM, "chain": [PEM...]], OPTIONS}
    {"do": "verify", "model": PATH, "signature": PATH, "public_key": PEM | "chain": [PEM...], OPTIONS}
    {"do": "certificates", "folder": PATH, "key": PEM, "leaf_days": [FROM, TO]}    ca.pem, inner.pem and leaf.pem of the key
OPTIONS: "hash", "shard_size", "ignore": [PATH...], "symlinks", "git" (sign the files of Git, too), "unsigned" (ignore what is not signed)
"""
import datetime
import json
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
import model_signing


def hashing(options):
    config = model_signing.hashing.Config()
    algorithm = options.get("hash", "sha256")
    if "shard_size" in options:
        config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=options["shard_size"])
    else:
        config.use_file_serialization(hashing_algorithm=algorithm)
    ignore = [pathlib.Path(path) for path in [*options.get("ignore", []), options["signature"]]]
    return config.set_ignored_paths(paths=ignore, ignore_git_paths=not options.get("git", False)).set_allow_symlinks(
        options.get("symlinks", False))


def sign(options):
    config = model_signing.signing.Config()
    if "certificate" in options:
        config.use_certificate_signer(private_key=options["key"], signing_certificate=options["certificate"],
                                      certificate_chain=options["chain"])
    else:
        config.use_elliptic_key_signer(private_key=options["key"])
    config.set_hashing_config(hashing(options)).sign(options["model"], options["signature"])


def verify(options):
    config = model_signing.verifying.Config()
    if "public_key" in options:
        config.use_elliptic_key_verifier(public_key=options["public_key"])
    else:
        config.use_certificate_verifier(certificate_chain=options["chain"])
    # Left to itself, it takes hash, shards, links and ignored paths from the signature.
    if {"ignore", "git", "symlinks", "shard_size", "hash"} & options.keys():
        config.set_hashing_config(hashing(options))
    config.set_ignore_unsigned_files(options.get("unsigned", False))
    config.verify(pathlib.Path(options["model"]), pathlib.Path(options["signature"]))


def certificate(name, key, issuer, issuer_key, authority, days):
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject).public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(now + datetime.timedelta(days=days[0])).not_valid_after(now + datetime.timedelta(days=days[1]))
               .add_extension(x509.BasicConstraints(authority, None), True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
               .add_extension(x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False), True))
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
    return builder.sign(issuer_key, hashes.SHA256())


def certificates(options):
    folder = pathlib.Path(options["folder"])
    with open(options["key"], "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    root_key, inner_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("root", root_key, None, root_key, True, (-3000, 3000))
    inner = certificate("inner", inner_key, root.subject, root_key, True, (-3000, 3000))
    leaf = certificate("signer", key, inner.subject, inner_key, False, options["leaf_days"])
    for name, made in (("ca", root), ("inner", inner), ("leaf", leaf)):
        (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def main():
    for line in sys.stdin:
        options = json.loads(line)
        try:
            {"sign": sign, "verify": verify, "certificates": certificates}[options["do"]](options)
            answer = {"ok": True, "said": ""}
        except Exception as error:  # whatever it raises is its answer
            answer = {"ok": False, "said": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print(json.dumps(answer), flush=True)


main()
