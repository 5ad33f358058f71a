"""Writes the single-operator cases of ONNX as its own generator would: NAME/model.onnx, NAME/test_data_set_N/*.pb."""
import pathlib
import sys

from onnx import TensorProto, numpy_helper
from onnx.backend.test.case import node


def message(value, info):
    """An input or output in the form that its type has in files."""
    if isinstance(value, TensorProto):
        return value
    kind = info.type.WhichOneof("value")
    make = {
        "map_type": numpy_helper.from_dict,
        "sequence_type": numpy_helper.from_list,
        "optional_type": numpy_helper.from_optional,
    }
    return make.get(kind, numpy_helper.from_array)(value, info.name)


def write(case, folder):
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir()
        graph = case.model.graph
        for name, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for i, value in enumerate(values):
                (data / f"{name}_{i}.pb").write_bytes(message(value, infos[i]).SerializeToString())


for one in node.collect_testcases(None):
    write(one, pathlib.Path(sys.argv[1]) / one.name)
