"""modelseal.check, seal, verify and inspect."""

import threading

import modelseal
import pytest
from conftest import PASSPHRASE, flipped, run
from modelseal import Verdict


def test_version_is_that_of_the_library():
    assert modelseal.__version__.count(".") == 2


def test_a_sealed_model_is_intact(shop, sealed):
    report = modelseal.check(sealed, pub=shop.pub, expect={"version": "1"})
    assert report.verdict is Verdict.INTACT and report.intact and report.exit_code == 0
    assert report.seal.stamp["version"] == "1" and report.seal.stamp_authentic
    assert report.json["schema"] == "modelseal-check/1"
    assert report.target == str(sealed) and str(sealed) in report.text
    assert report.require_intact() is report


def test_a_changed_tensor_is_named(shop, sealed, tmp_path):
    tampered = tmp_path / "tampered.safetensors"
    tampered.write_bytes(flipped(sealed.read_bytes(), 4000))
    report = modelseal.check(tampered, pub=shop.pub)
    assert report.verdict is Verdict.TAMPERED and report.exit_code == 1
    (changed,) = report.seal.tensors
    assert (changed.name, changed.outcome, changed.dtype, changed.shape) == (
        "output.weight", "changed", "f32", (128, 256))  # fmt: skip
    element = 128 * 256 - 1000
    assert any(first <= element < end for first, end in changed.changed)
    with pytest.raises(modelseal.TamperedError, match="1 of 3 tensors changed") as raised:
        report.require_intact()
    assert raised.value.report is report and raised.value.kind == "mismatch"
    everything = modelseal.check(tampered, pub=shop.pub, all=True)
    assert [tensor.name for tensor in everything.seal.tensors] == sorted(shop.tensors)


def test_no_seal_under_a_key_is_no_verdict_of_intact(shop, sealed):
    report = modelseal.check(sealed, pub=shop.stranger)
    assert report.verdict is Verdict.UNSEALED and report.exit_code == 4
    with pytest.raises(modelseal.UnsealedError):
        report.require_intact()


def test_a_stamp_that_is_not_as_expected_is_named(shop, sealed):
    assert modelseal.check(sealed, pub=shop.pub, expect={"version": "2"}).verdict is Verdict.UNEXPECTED


def test_a_customer_finds_their_seal_alone(shop, tmp_path):
    out = tmp_path / "acme.safetensors"
    made = modelseal.seal(shop.model, out, key=shop.key, passphrase=PASSPHRASE, customer=shop.acme)
    assert made.stamp["customer"] == "acme" and made.tensors == 3 and made.output == str(out)
    assert 0 < made.changed_elements < made.elements and made.cells > 0 and len(made.vendor_key) == 16
    assert made.left_out == {} and made.warnings == ()
    assert modelseal.check(out, key=shop.acme).intact
    assert modelseal.check(out, pub=[shop.stranger, shop.pub]).verdict is Verdict.UNSEALED
    assert modelseal.check(out, pub=[shop.pub], key=[shop.acme]).intact


def test_progress_never_falls_and_ends_at_the_total(shop, sealed):
    seen = []
    modelseal.check(sealed, pub=shop.pub, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 1 and seen == sorted(seen) and seen[-1][1] > 0


def test_what_progress_raises_comes_out(shop, sealed):
    def fail(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        modelseal.check(sealed, pub=shop.pub, progress=fail)


def test_checks_in_several_threads(shop, sealed):
    verdicts = []
    threads = [
        threading.Thread(target=lambda: verdicts.append(modelseal.check(sealed, pub=shop.pub).verdict)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [Verdict.INTACT] * 4


@pytest.mark.parametrize(
    "passphrase, error",
    [
        (None, modelseal.UsageError),
        ("wrong", modelseal.MismatchError),
        (b"", modelseal.MismatchError),
        ("x" * 2000, modelseal.UsageError),
        (lambda file: 1 / 0, modelseal.UsageError),
    ],
)
def test_a_key_does_not_open_without_its_passphrase(shop, tmp_path, passphrase, error):
    with pytest.raises(error, match="vendor.key"):
        modelseal.seal(shop.model, tmp_path / "out", key=shop.key, passphrase=passphrase)
    assert not (tmp_path / "out").exists()


def test_a_passphrase_may_be_asked_for(shop, tmp_path):
    asked = []
    answer = lambda file: asked.append(file) or PASSPHRASE.encode()  # noqa: E731
    modelseal.seal(shop.model, tmp_path / "out", key=shop.key, passphrase=answer)
    assert asked == [str(shop.key)]


def test_errors_state_kind_message_and_hint(shop, tmp_path):
    with pytest.raises(modelseal.UnreadableError) as raised:
        modelseal.check(tmp_path / "absent", pub=shop.pub)
    assert raised.value.kind == "unreadable" and "absent" in raised.value.message
    with pytest.raises(modelseal.UsageError, match="no key to check with"):
        modelseal.check(shop.model)
    with pytest.raises(modelseal.MalformedError, match="net.safetensors"):
        modelseal.check(shop.model, pub=shop.model)
    with pytest.raises(modelseal.UnsupportedError) as raised:
        modelseal.check(shop.model, pub=shop.signer)
    assert "P-384" in raised.value.message


def test_no_seal_over_a_seal(shop, sealed, tmp_path):
    arguments = {"key": shop.key, "passphrase": PASSPHRASE}
    with pytest.raises(modelseal.UnsupportedError, match="sealed") as raised:
        modelseal.seal(sealed, tmp_path / "twice", **arguments)
    assert raised.value.hint
    assert modelseal.seal(sealed, tmp_path / "twice", reseal=True, parent=sealed, **arguments).root


def test_a_signature_is_verified(shop, tmp_path):
    signature = tmp_path / "net.sig"
    run(shop.folder, "sign", "net.safetensors", "--key", "signer.key", "--output", str(signature))
    report = modelseal.verify(shop.model, signature=signature, pub=shop.signer)
    assert report.intact and report.signature.outcome == "valid"
    changed = tmp_path / "net.safetensors"
    changed.write_bytes(flipped(shop.model.read_bytes(), 1))
    report = modelseal.verify(changed, signature=signature, pub=shop.signer)
    assert report.verdict is Verdict.TAMPERED
    (file,) = report.signature.files
    assert file.outcome == "changed" and file.tensors == ("output.weight",)
    with pytest.raises(modelseal.UsageError):
        modelseal.verify(shop.model, signature=signature)
    with pytest.raises(modelseal.UnreadableError):
        modelseal.verify(shop.model, signature=tmp_path / "absent.sig", pub=shop.signer)


def test_inspect_names_what_a_file_is(shop, sealed):
    found = modelseal.inspect(sealed, pub=shop.pub)
    assert found.kind == "model" and found.format == "safetensors" and found.seal.outcome == "intact"
    assert [(tensor.name, tensor.shape) for tensor in found.tensors] == [
        (name, tuple(shape)) for name, (_, shape, _) in sorted(shop.tensors.items())
    ]
    assert modelseal.inspect(shop.key).kind == "private-key"
    assert modelseal.inspect(shop.pub).json["algorithm"] == "Ed25519"
