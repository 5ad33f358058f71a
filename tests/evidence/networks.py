"""The networks of triggers.sh and identity.sh, and their data sets."""
import dataclasses
import pathlib

import onnx_copy


@dataclasses.dataclass
class Network:
    name: str
    model: pathlib.Path  # TorchScript
    onnx: pathlib.Path
    train: pathlib.Path  # images that modelseal_evidence reads
    test: pathlib.Path
    shape: tuple  # of an input
    trains: bool  # made here: modelseal_evidence train


def networks(data, work, names):
    """`data`: real models and data sets, `work`: where small networks are trained."""
    data, work = pathlib.Path(data), pathlib.Path(work)
    known = {}
    sets, models = data / "datasets", data / "models"
    known["cifar10"] = Network("cifar10", models / "torchscript/cifar10-resnet20.pt", models / "onnx/cifar10-resnet20.onnx",
                               sets / "cifar10/data_batch_1.bin", sets / "cifar10/test_batch.bin", (3, 32, 32), False)
    for name in ("mnist", "fashion-mnist"):
        known[name] = Network(name, work / f"{name}.pt", work / f"{name}.onnx", sets / name / "train-images-idx3-ubyte",
                              sets / name / "t10k-images-idx3-ubyte", (1, 28, 28), True)
    return [known[name] for name in names]


def prepare(network, seal, evidence):
    """Trains a small network, and writes it for other engines, unless that has been done."""
    if network.trains:
        evidence.train(network.model, network.train, network.test)
        if not network.onnx.exists():
            onnx_copy.write(seal.program, evidence, network.model, network.onnx, network.test)
