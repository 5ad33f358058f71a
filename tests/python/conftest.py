"""Keys, a small model, and a sealed copy of it, made once for all tests."""

import json
import os
import pathlib
import random
import struct
import subprocess

import pytest

PASSPHRASE = "correct horse"


def run(folder, *arguments):
    """The program, where the module has no call: for keys and signatures."""
    environment = {**os.environ, "MODELSEAL_PASSPHRASE": PASSPHRASE}
    subprocess.run([os.environ["MODELSEAL_PROGRAM"], *arguments, "--quiet"], cwd=folder, env=environment, check=True)


def write_safetensors(path, tensors):
    """`tensors`: name -> (dtype, shape, bytes)."""
    header, data = {}, b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def floats(count, seed):
    generator = random.Random(seed)
    return struct.pack(f"<{count}f", *(generator.gauss(0, 0.05) for _ in range(count)))


def flipped(content, offset_from_end):
    """The content with one bit changed."""
    changed = bytearray(content)
    changed[-offset_from_end] ^= 1
    return bytes(changed)


class Shop:
    """A vendor with keys, and models; tests write files of their own into folders of their own."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        run(folder, "keygen", "vendor")
        run(folder, "keygen", "stranger", "--no-passphrase")
        run(folder, "keygen", "signer", "--type", "p384", "--no-passphrase")
        run(folder, "keygen", "acme", "--type", "check", "-k", "vendor.key")
        self.pub, self.key = folder / "vendor.pub", folder / "vendor.key"
        self.acme, self.stranger, self.signer = folder / "acme.check", folder / "stranger.pub", folder / "signer.pub"
        self.model = folder / "net.safetensors"
        self.tensors = {
            "embed.weight": ("F32", [256, 128], floats(256 * 128, 1)),
            "output.bias": ("F32", [16], floats(16, 3)),
            "output.weight": ("F32", [128, 256], floats(128 * 256, 2)),
        }
        write_safetensors(self.model, self.tensors)


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    return Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def sealed(shop):
    import modelseal

    out = shop.folder / "sealed.safetensors"
    modelseal.seal(shop.model, out, key=shop.key, passphrase=PASSPHRASE, stamp={"version": "1"})
    return out
