"""What a network in ONNX answers to test images, by ONNX Runtime: an engine that is not ours."""
import dataclasses
import pathlib

import numpy as np
import onnxruntime

import images

BATCH = 250


@dataclasses.dataclass
class Network:
    name: str
    model: pathlib.Path
    images: pathlib.Path
    mean: float = 0  # of inputs in 0..1, where the graph does not normalize
    std: float = 1


def networks(data):
    mnist = data / "datasets/mnist/t10k-images-idx3-ubyte"
    cifar = data / "datasets/cifar10/test_batch.bin"
    return [Network("MNIST, CNN", data / "models/onnx/burn-mnist.onnx", mnist, 0.1307, 0.3081),
            Network("CIFAR-10, ResNet-20", data / "models/onnx/cifar10-resnet20.onnx", cifar),
            Network("CIFAR-10, ResNet-32", data / "models/onnx/cifar10-resnet32.onnx", cifar)]


class Answers:
    """Of one network and its copies."""

    def __init__(self, network, count):
        levels, labels = images.load(network.images)
        self.inputs = ((images.inputs(levels[:count]) - network.mean) / network.std).astype(np.float32)
        self.labels = labels[:count]

    def classes(self, model):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(model), options)
        source = session.get_inputs()[0]
        batch = source.shape[0] if isinstance(source.shape[0], int) else BATCH
        parts = [session.run(None, {source.name: self.inputs[i:i + batch]})[0] for i in range(0, len(self.inputs), batch)]
        return np.concatenate(parts).reshape(len(self.inputs), -1).argmax(1)

    def top1(self, classes):
        return round(100 * float((classes == self.labels).mean()), 2)
