"""How many changes of a single weight a fingerprint finds, beside the coverage that it promises: a Markdown row for each network.

    single_weights.py MODELSEAL NETWORK.onnx... [--count 200] [--change 0.01] [--pairs 150] [--seed 1] [--seeds DIR]

Weights are drawn from all that are not 0 of tensors of two or more dimensions, one from each of so many parts of the network that are
equally large. Each is changed by itself in a copy of the file, which is checked on the rung fp32. As a control, so many copies as --control are saved with nothing changed.
"""
import argparse
import collections
import json
import math
import pathlib
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

import program


def drawn(network, count, seed):
    """(tensor, index) of weights, each equally likely: one at random from each of `count` equal parts of all, in their order."""
    tensors = [one for one in network.graph.initializer if one.data_type == onnx.TensorProto.FLOAT and len(one.dims) >= 2]
    places = [np.flatnonzero(numpy_helper.to_array(one)) for one in tensors]
    ends = np.cumsum([len(place) for place in places])
    parts = np.linspace(0, ends[-1], count + 1).astype(np.int64)
    for number in np.random.default_rng(seed).integers(parts[:-1], parts[1:]):
        which = int(np.searchsorted(ends, number, side="right"))
        yield tensors[which], places[which][number - (ends[which - 1] if which else 0)]


def save_changed(network, tensor, index, change, path):
    before = tensor.SerializeToString()
    values = numpy_helper.to_array(tensor).copy()
    values.reshape(-1)[index] *= np.float32(1 + change)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(network, path)
    tensor.ParseFromString(before)


def limits(found, count):
    """Of the share of which `found` of `count` draws are a sample: 95 %, Clopper and Pearson."""
    def share_with(chance, holds):
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if holds(chance(middle)) else (low, middle)
        return low

    def at_most(most):
        return lambda share: sum(math.comb(count, i) * share**i * (1 - share) ** (count - i) for i in range(most + 1))

    least = share_with(at_most(found - 1), lambda below: 1 - below < 0.025) if found else 0.0
    return least, share_with(at_most(found), lambda upto: upto > 0.025) if found < count else 1.0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("modelseal", type=pathlib.Path)
    parser.add_argument("networks", type=pathlib.Path, nargs="+")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--control", type=int, default=10)
    parser.add_argument("--change", type=float, default=0.01)
    parser.add_argument("--pairs", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds")
    options = parser.parse_args()
    print(f"{options.pairs} pairs, seed {options.seed}; single weights changed by {100 * options.change:g} %, rung fp32.\n")
    print("| network | covered % | found % | of | by flips | by shifts | control: found | of |\n| --- | --- | --- | --- | --- | --- | --- | --- |",
          flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        program.must(options.modelseal, "keygen", "v", "--no-passphrase", folder=work)
        for path in options.networks:
            (work / "net.fp").unlink(missing_ok=True)
            made = program.must(options.modelseal, "fingerprint", path, "-k", work / "v.key", "-o", work / "net.fp", "--pairs", options.pairs,
                                "--seed", options.seed, "--json", *(["--seeds", options.seeds] if options.seeds else []))
            coverage = json.loads(made.out)["coverage"]

            def verdict():
                checked = program.run(options.modelseal, "check", work / "copy.onnx", "--fingerprint", work / "net.fp", "--pub",
                                      work / "v.pub", "--black-box", "--rung", "fp32", "--json")
                check = json.loads(checked.out)["checks"][0]
                return check["outcome"], check.get("decided_by", "")

            network = onnx.load(path)
            found = collections.Counter()
            for tensor, index in drawn(network, options.count, options.seed):
                save_changed(network, tensor, index, options.change, work / "copy.onnx")
                found[verdict()] += 1
            onnx.save(network, work / "copy.onnx")
            alarms = sum(verdict()[0] == "tampered" for _ in range(options.control))
            tampered = sum(number for (outcome, _), number in found.items() if outcome == "tampered")
            low, high = limits(tampered, options.count)
            name = path.name if path.name != "model.onnx" else path.parent.name
            print(f"| {name} | {100 * coverage['noticed'] / coverage['weights']:.1f} | {100 * tampered / options.count:.1f} ({100 * low:.1f} to {100 * high:.1f}) | {options.count} | "
                  f"{found['tampered', 'flips']} | {found['tampered', 'shifts']} | {alarms} | {options.control} |", flush=True)


main()
