"""modelseal.safetensors.load_file: tensors only from bytes that were checked."""

import os
import struct

import modelseal
import modelseal.safetensors
import numpy
import pytest
from conftest import PASSPHRASE, flipped, floats, write_safetensors
from modelseal.safetensors import load_file


def test_tensors_of_an_intact_file(shop, sealed):
    tensors = load_file(sealed, pub=shop.pub, expect={"version": "1"})
    assert sorted(tensors) == sorted(shop.tensors)
    for name, (_, shape, raw) in shop.tensors.items():
        original = numpy.frombuffer(raw, dtype="<f4").reshape(shape)
        assert tensors[name].shape == tuple(shape) and tensors[name].dtype == numpy.float32
        numpy.testing.assert_allclose(tensors[name], original, rtol=0, atol=1e-5)


def test_nothing_of_a_file_that_is_not_intact(shop, sealed, tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(flipped(sealed.read_bytes(), 4000))
    with pytest.raises(modelseal.TamperedError, match="net.safetensors: 1 of 3 tensors changed"):
        load_file(path, pub=shop.pub)
    with pytest.raises(modelseal.UnsealedError, match="net.safetensors"):
        load_file(shop.model, pub=shop.pub)
    with pytest.raises(modelseal.TamperedError):
        load_file(sealed, pub=shop.pub, expect={"version": "2"})
    path.write_bytes(sealed.read_bytes()[:5000])
    with pytest.raises(modelseal.MalformedError, match=f"^{path}"):
        load_file(path, pub=shop.pub)
    with pytest.raises(modelseal.UnreadableError, match="absent"):
        load_file(tmp_path / "absent", pub=shop.pub)
    with pytest.raises(modelseal.UnreadableError):
        load_file(tmp_path, pub=shop.pub)
    with pytest.raises(modelseal.UsageError, match="no key"):
        load_file(sealed)
    with pytest.raises(modelseal.UsageError, match="tensorflow"):
        load_file(sealed, pub=shop.pub, framework="tensorflow")


@pytest.mark.parametrize("how", ["replaced", "written"])
def test_a_file_that_is_swapped_after_the_check_does_not_matter(shop, sealed, tmp_path, monkeypatch, how):
    expected = load_file(sealed, pub=shop.pub)
    path, other = tmp_path / "net.safetensors", tmp_path / "other"
    path.write_bytes(sealed.read_bytes())
    write_safetensors(other, {n: (d, shape, floats(len(raw) // 4, 9)) for n, (d, shape, raw) in shop.tensors.items()})
    check = modelseal.safetensors._check

    def check_then_swap(*arguments, **options):
        report = check(*arguments, **options)
        if how == "replaced":
            os.replace(other, path)
        else:
            path.write_bytes(other.read_bytes())
        return report

    monkeypatch.setattr(modelseal.safetensors, "_check", check_then_swap)
    tensors = load_file(path, pub=shop.pub)
    assert path.read_bytes() != sealed.read_bytes()
    for name, tensor in expected.items():
        numpy.testing.assert_array_equal(tensors[name], tensor)


def test_a_file_that_is_swapped_before_the_check_is_refused(shop, sealed, tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    path.write_bytes(sealed.read_bytes())
    copy = modelseal.safetensors._copy

    def write_then_copy(source, to):
        path.write_bytes(flipped(path.read_bytes(), 4000))
        copy(source, to)

    monkeypatch.setattr(modelseal.safetensors, "_copy", write_then_copy)
    with pytest.raises(modelseal.TamperedError):
        load_file(path, pub=shop.pub)


def test_the_checked_copy_cannot_be_written(sealed):
    with modelseal.safetensors._private_copy(str(sealed)) as fd:
        for write in (lambda: os.pwrite(fd, b"x", 100), lambda: os.ftruncate(fd, 10), lambda: os.pwrite(fd, b"x", 1 << 30)):
            with pytest.raises(OSError):
                write()


def test_writing_to_a_tensor_changes_no_file(shop, sealed):
    before = sealed.read_bytes()
    load_file(sealed, pub=shop.pub)["output.weight"][:] = 0
    assert sealed.read_bytes() == before


def test_no_descriptor_is_left_open(shop, sealed):
    count = lambda: len(os.listdir("/proc/self/fd"))  # noqa: E731
    load_file(sealed, pub=shop.pub)
    before = count()
    for _ in range(3):
        tensors = load_file(sealed, pub=shop.pub)
        del tensors
        with pytest.raises(modelseal.UnsealedError):
            load_file(shop.model, pub=shop.pub)
    assert count() == before


def test_element_types(shop, tmp_path):
    model, out = tmp_path / "types.safetensors", tmp_path / "sealed.safetensors"
    tensors = {
        "weight": ("F32", [256, 256], floats(65536, 1)),
        "empty": ("I64", [0, 3], b""),
        "odd": ("U8", [3], b"\1\2\3"),
        "scalar": ("F64", [], struct.pack("<d", 2.5)),
        "flag": ("BOOL", [2], b"\1\0"),
        "half": ("F16", [2], struct.pack("<2e", 1.5, -2)),
    }
    write_safetensors(model, tensors)
    modelseal.seal(model, out, key=shop.key, passphrase=PASSPHRASE)
    loaded = load_file(out, pub=shop.pub)
    assert loaded["empty"].shape == (0, 3) and loaded["scalar"].shape == () and loaded["flag"].tolist() == [True, False]
    assert loaded["scalar"].dtype == numpy.float64 and loaded["half"].dtype == numpy.float16

    write_safetensors(model, {**tensors, "brain": ("BF16", [2], b"\x80\x3f\0\0")})
    modelseal.seal(model, out, key=shop.key, passphrase=PASSPHRASE)
    with pytest.raises(modelseal.UnsupportedError, match="'brain': numpy has no element type BF16") as raised:
        load_file(out, pub=shop.pub)
    assert "framework='pt'" in raised.value.hint


def test_tensors_of_pytorch(shop, sealed):
    torch = pytest.importorskip("torch")
    arrays, tensors = load_file(sealed, pub=shop.pub), load_file(sealed, pub=shop.pub, framework="pt")
    for name, array in arrays.items():
        assert tensors[name].dtype == torch.float32
        numpy.testing.assert_array_equal(tensors[name].numpy(), array)
