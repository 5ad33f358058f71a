"""Seals copies of networks whose weights lie on a grid, and counts the answers that change (answers.sh)."""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnxruntime

LEAST = 384  # elements of a tensor that may carry


def halves(w):
    return w.astype(numpy.float16).astype(numpy.float32)


def per_channel(w):
    """Multiples of a step for each output channel, up to 127 times."""
    rows = w.reshape(w.shape[0], -1)
    step = numpy.abs(rows).max(1, keepdims=True) / 127
    step[step == 0] = 1
    return (numpy.round(rows / step) * step).astype(numpy.float32).reshape(w.shape)


def integers(w):
    return numpy.round(w / numpy.abs(w).max() * 127).astype(numpy.float32)


def signs(w):
    return numpy.where(w < 0, -1, 1).astype(numpy.float32)


KINDS = {"as published": lambda w: w, "+-1": signs, "integers": integers, "fake-quantized": per_channel, "upcast halves": halves}


class Shop:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.run("keygen", "vendor", "--no-passphrase", "--quiet")

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], cwd=self.folder, capture_output=True, text=True, check=False)

    def tensors(self, model):
        listed = json.loads(self.run("inspect", "--json", model).stdout)["tensors"]
        return [t for t in listed if t["dtype"] == "f32" and numpy.prod(t["shape"], dtype=int) >= LEAST]

    def seal(self, model, sealed):
        return self.run("seal", model, "-o", sealed, "-k", "vendor.key", "--json")


def weights(content, tensor):
    return numpy.frombuffer(content, "<f4", int(numpy.prod(tensor["shape"])), tensor["offset"]).reshape(tensor["shape"])


def changed_copy(content, tensors, kind):
    copy = bytearray(content)
    for tensor in tensors:
        copy[tensor["offset"]:tensor["offset"] + tensor["bytes"]] = KINDS[kind](weights(content, tensor)).astype("<f4").tobytes()
    return bytes(copy)


def cifar10(data):
    raw = numpy.fromfile(next(data.glob("**/test_batch.bin")), numpy.uint8).reshape(-1, 3073)[:, 1:]
    mean = numpy.array([0.485, 0.456, 0.406], numpy.float32).reshape(1, 3, 1, 1)
    deviation = numpy.array([0.229, 0.224, 0.225], numpy.float32).reshape(1, 3, 1, 1)
    return (raw.reshape(-1, 3, 32, 32).astype(numpy.float32) / 255 - mean) / deviation


def mnist(data):
    raw = numpy.fromfile(next(data.glob("**/t10k-images*ubyte")), numpy.uint8)[16:]
    return raw.reshape(-1, 1, 28, 28).astype(numpy.float32) / 255


def answers(path, images):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    put = session.get_inputs()[0]
    batch = put.shape[0] if isinstance(put.shape[0], int) else 500
    images = images.reshape(-1, *[n if isinstance(n, int) else m for n, m in zip(put.shape[1:], images.shape[1:])])
    parts = [session.run(None, {put.name: images[i:i + batch]})[0] for i in range(0, len(images) - batch + 1, batch)]
    return numpy.concatenate([part.reshape(batch, -1) for part in parts])


def kept(original, sealed, tensors, kind):
    """Tensors of this kind that a consumer of the kind reads as they were: cut to integers, or cast to half and back."""
    read = {"integers": numpy.trunc, "upcast halves": lambda w: w}.get(kind, lambda w: w)
    if kind == "upcast halves":
        return sum(numpy.array_equal(halves(weights(sealed, t)), weights(sealed, t)) for t in tensors)
    return sum(numpy.array_equal(read(weights(original, t)), read(weights(sealed, t))) for t in tensors)


def row(shop, name, content, images, tensors, kind):
    model, sealed = shop.folder / "copy.onnx", shop.folder / "sealed.onnx"
    copy = changed_copy(content, tensors, kind)
    model.write_bytes(copy)
    sealed.unlink(missing_ok=True)
    done = shop.seal("copy.onnx", "sealed.onnx")
    share = f"{len(tensors)} of {len(shop.tensors('copy.onnx'))}"
    if done.returncode != 0:
        reason = done.stderr.split("copy.onnx: ")[-1].splitlines()[0]
        return f"| {name} | {kind} | {share} | refused: {reason} | | | |"
    before, after = answers(model, images), answers(sealed, images)
    flips = int((before.argmax(1) != after.argmax(1)).sum())
    whole = kept(copy, sealed.read_bytes(), tensors, kind) if kind != "as published" else "-"
    touched = json.loads(done.stdout)["changed_elements"]
    return f"| {name} | {kind} | {share} | {touched:,} | {flips} of {len(before):,} | {abs(after - before).max():.1e} | {whole} |"


def main():
    program, data, count = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    networks = [("cifar10-resnet20", data / "models/onnx/cifar10-resnet20.onnx", cifar10(data / "datasets/cifar10")),
                ("burn-mnist", data / "models/onnx/burn-mnist.onnx", mnist(data / "datasets/mnist"))]
    print("| network | weights | tensors changed so | changed by the seal | answers that differ | logits by at most | tensors that stay so |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(program, pathlib.Path(folder))
        for name, path, images in networks:
            content = path.read_bytes()
            (shop.folder / "copy.onnx").write_bytes(content)
            tensors = shop.tensors("copy.onnx")
            for kind in KINDS:
                # Of some tensors, so that others can carry; then of all.
                for part in [tensors[1::2], tensors] if kind != "as published" else [tensors]:
                    print(row(shop, name, content, images[:count], part, kind), flush=True)


main()
