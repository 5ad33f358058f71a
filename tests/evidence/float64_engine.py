"""Computes an ONNX network in float64, for runtimes.py: a program of the protocol json-lines/1.

    float64_engine.py MODEL.onnx

The reference implementation of ONNX computes in whatever type it is given, so weights and inputs are widened, and only the answers are
rounded to float32.
"""
import json
import sys

import numpy
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun


class BatchNormalization(OpRun):
    """Of inference: before opset 14 the reference implementation mixes in the statistics of the batch."""
    op_domain = ""

    def _run(self, x, scale, shift, mean, variance, epsilon=None, **_):
        each = (-1,) + (1,) * (x.ndim - 2)
        factor = scale / numpy.sqrt(variance + epsilon)
        return ((x - mean.reshape(each)) * factor.reshape(each) + shift.reshape(each),)


def widened(model):
    """The same graph with all its float32 in float64."""
    def widen(tensor):
        if tensor.data_type == onnx.TensorProto.FLOAT:
            tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor).astype(numpy.float64), tensor.name))

    for tensor in model.graph.initializer:
        widen(tensor)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                widen(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == onnx.TensorProto.FLOAT:
                attribute.i = onnx.TensorProto.DOUBLE
    return model


def main():
    model = widened(onnx.load(sys.argv[1]))
    evaluator = ReferenceEvaluator(model, new_ops=[BatchNormalization])
    constants = {tensor.name for tensor in model.graph.initializer}
    name = next(value.name for value in model.graph.input if value.name not in constants)
    one_at_a_time = any(dimension.dim_value == 1 for value in model.graph.input if value.name == name
                        for dimension in value.type.tensor_type.shape.dim[:1])
    for line in sys.stdin:
        question = json.loads(line)
        inputs = numpy.array(question["inputs"], numpy.float64).reshape(question["shape"])
        batches = [inputs[i:i + 1] for i in range(len(inputs))] if one_at_a_time else [inputs]
        outputs = numpy.concatenate([evaluator.run(None, {name: batch})[0] for batch in batches])
        assert outputs.dtype == numpy.float64, "the network computes in another type"
        print(json.dumps({"id": question["id"], "outputs": outputs.astype(numpy.float32).reshape(len(inputs), -1).tolist()}), flush=True)


main()
