"""A TorchScript network of this folder as ONNX, for other engines: the same graph, the same weights, compared.

    onnx_copy.py MODELSEAL BUILD NET.pt OUT.onnx IMAGES [--like GRAPH.onnx]

Without --like: the small network of cnn.cc. With it: that graph, with the weights of NET.pt by name. ONNX Runtime must put
the first 1,000 of the images into the classes that LibTorch puts them into. MODELSEAL places the weights in NET.pt.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

import images
import program
import trace_nets

COMPARED = 1_000
CLOSE = 1e-3  # of logits of about 10


def small_cnn(weights):
    """The graph of kForward in cnn.cc."""
    def convolved(x, y, layer):
        return helper.make_node("Conv", [x, f"{layer}_weight", f"{layer}_bias"], [y], kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def halved(x, y):
        return helper.make_node("MaxPool", [x], [y], kernel_shape=[2, 2], strides=[2, 2])

    def relu(x, y):
        return helper.make_node("Relu", [x], [y])

    def full(x, y, layer):
        return helper.make_node("Gemm", [x, f"{layer}_weight", f"{layer}_bias"], [y], transB=1)

    nodes = [convolved("input", "c1", "conv1"), relu("c1", "r1"), halved("r1", "p1"),
             convolved("p1", "c2", "conv2"), relu("c2", "r2"), halved("r2", "p2"), helper.make_node("Flatten", ["p2"], ["f"]),
             full("f", "f1", "fc1"), relu("f1", "r3"), full("r3", "logits", "fc2")]
    put = helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["N", 1, 28, 28])
    answer = helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["N", weights["fc2_bias"].size])
    initializers = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "SmallCnn", [put], [answer], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="modelseal")


def filled(like, weights):
    """The graph of a file with other weights; the last layer may have got another class."""
    model = onnx.load(like)
    for tensor in model.graph.initializer:
        values = weights.get(tensor.name.replace(".", "_"))
        if values is not None:
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    classes = weights["linear_bias"].size
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = classes
    return model


def with_input(model, name, out):
    """Writes the graph with its input called `name`, as in the TorchScript file of the same network."""
    graph = onnx.load(model)
    old = graph.graph.input[0].name
    graph.graph.input[0].name = name
    for node in graph.graph.node:
        node.input[:] = [name if one == old else one for one in node.input]
    onnx.checker.check_model(graph)
    onnx.save(graph, out)
    return out


def answers(model, inputs):
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: inputs[i:i + 250]})[0] for i in range(0, len(inputs), 250)])


def compare(evidence, model, out, data):
    with tempfile.TemporaryDirectory() as folder:
        logits = pathlib.Path(folder) / "logits"
        evidence.logits(model, data, logits)
        expected = np.fromfile(logits, np.float32)
    levels, _ = images.load(data)
    expected = expected.reshape(len(levels), -1)[:COMPARED]
    got = answers(out, images.inputs(levels[:COMPARED]))
    return np.abs(got - expected).max(), int((got.argmax(1) != expected.argmax(1)).sum())


def write(modelseal, evidence, model, out, data, like=None):
    """Returns the largest difference of a logit. Raises program.Failed if the two networks are not the same."""
    weights = dict(trace_nets.read_tensors(modelseal, pathlib.Path(model)))
    weights = {name.split(":")[-1]: np.array(values) for name, values in weights.items()}
    made = filled(like, weights) if like else small_cnn(weights)
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, out)
    most, differing = compare(evidence, model, out, data)
    if most > CLOSE or differing:
        raise program.Failed(f"{out}: logits differ by {most:.2g}, {differing} classes of {COMPARED} differ")
    return most


def main():
    parser = argparse.ArgumentParser()
    for name in ("modelseal", "build", "model", "out", "images"):
        parser.add_argument(name)
    parser.add_argument("--like")
    given = parser.parse_args()
    try:
        most = write(given.modelseal, program.Evidence(given.build), given.model, given.out, given.images, given.like)
    except program.Failed as error:
        sys.exit(f"onnx_copy.py: {error}")
    print(f"{given.out}: {pathlib.Path(given.out).stat().st_size} bytes; logits differ by {most:.1e} at most, no class of {COMPARED}")


if __name__ == "__main__":
    main()
