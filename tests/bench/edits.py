"""Edits of sealed networks, and how often each scheme notices: single weights and bits, lower sub-bands, casts, new marks, foreign layers."""
import dataclasses
import typing

import numpy as np

import answers_of
import measuring
import sealed
from weights_file import WeightsFile, change_lower_bands

SIZES = [f"1e-{power}" for power in range(1, 8)]
BITS = range(32)
TESTED = 2000  # images, at most
LAYERS = 3  # the largest, for edits of one layer


@dataclasses.dataclass
class Edit:
    name: str
    tries: int
    apply: typing.Callable  # (WeightsFile, generator of random numbers, number of the try)
    answers: bool = False  # the network runs after it
    group: str = ""
    strength: str = ""


def add(size):
    def apply(weights, random, _):
        while True:  # 1e-7 is nothing to a weight of 2
            tensor, index = weights.draw(random)
            before = tensor[index]
            tensor[index] = np.float32(before + float(size) * random.choice([-1, 1]))
            if tensor[index] != before:
                return
    return apply


def flip(bit):
    def apply(weights, random, _):
        tensor, index = weights.draw(random)
        tensor.view("<u4")[index] ^= np.uint32(1 << bit)
    return apply


def add_to_vector(weights, random, _):
    tensor, index = weights.draw(random, weights.vectors)
    tensor[index] += 0.1


def lower_bands(relative, layers=None):
    def apply(weights, random, number):
        names = weights.matrices if layers is None else [weights.largest(layers)[number % layers]]
        for name in names:
            change_lower_bands(weights.tensors[name], relative, random)
    return apply


def to_f16(values):
    return values.astype(np.float16).astype(np.float32)


def to_bf16(values):
    bits = values.view("<u4").astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16).astype("<u4").view("<f4")


def to_int8(values):
    scale = float(np.abs(values).max()) / 127
    return (np.rint(values / scale) * scale).astype(np.float32) if scale else values


def rounded(how):
    def apply(weights, _random, _number):
        for name in weights.matrices:
            weights.tensors[name][:] = how(weights.tensors[name])
    return apply


def edits(small):
    count = (lambda few, many: few if small else many)
    for size in SIZES:
        yield Edit(f"one weight by ±{size}", count(3, 40), add(size), group="size", strength=size)
    for bit in BITS[7::8] if small else BITS:
        yield Edit(f"one bit, {bit}", count(1, 16), flip(bit), group="bit", strength=str(bit))
    yield Edit("one weight of a vector (bias, batch norm) by 0.1", count(2, 20), add_to_vector)
    for relative in (0.01, 0.1, 0.35):
        yield Edit(f"noise in bands 1-16 of one layer, {relative:.0%} of its norm", count(1, LAYERS), lower_bands(relative, LAYERS))
    yield Edit("noise in bands 1-16 of every layer, 35% of the norms", 1, lower_bands(0.35), answers=True)
    for name, how in (("f16", to_f16), ("bf16", to_bf16), ("int8, symmetric by tensor", to_int8)):
        yield Edit(f"every layer rounded to {name}", 1, rounded(how), answers=True)


def stamp(version):
    return ["--stamp", "name=network", "--stamp", f"version={version}"]


class Trial:
    """One network, sealed under both schemes."""

    def __init__(self, options, network, vendor, work):
        self.options, self.network, self.vendor, self.work = options, network, vendor, work
        self.other = sealed.Vendor(options.program, work, "other")
        self.answers = answers_of.Answers(network, min(options.images, TESTED))
        self.files = {}
        for scheme in sealed.SCHEMES:
            path = work / f"{scheme}.onnx"
            vendor.seal(network.model, path, scheme, *stamp(1))
            self.files[scheme] = WeightsFile(options.program, path)
        self.before = self.answers.classes(work / "modelseal.onnx")

    def row(self, name, counts, answers=None, control=False, **more):
        cells = {}
        for scheme, count in counts.items():
            cells |= count.cells(scheme)
        if answers is not None:
            more["answers_changed"] = round(100 * float((answers != self.before).mean()), 2)
            more["top1"] = self.answers.top1(answers)
        return {"network": self.network.name, "attack": name, "control": control, **cells, **more}

    def control(self):
        """Other keys, other cells: each seal could raise a false alarm of its own."""
        counts = {scheme: sealed.Count() for scheme in sealed.SCHEMES}
        for i in range(2 if self.options.small else 10):
            vendor = sealed.Vendor(self.options.program, self.work, f"control{i}")
            for scheme, count in counts.items():
                vendor.seal(self.network.model, self.work / "control.onnx", scheme, *stamp(i))
                count.add(vendor.check(self.work / "control.onnx"))
        return self.row("nothing (control), each with another key", counts, answers=self.before, control=True)

    def edited(self, edit):
        counts, answers = {scheme: sealed.Count() for scheme in sealed.SCHEMES}, None
        for number in range(edit.tries):
            for scheme, file in self.files.items():
                edit.apply(file, np.random.default_rng([self.options.seed, number]), number)
                path = file.save(self.work / "edited.onnx")
                file.undo()
                counts[scheme].add(self.vendor.check(path))
                if edit.answers and scheme == "modelseal":
                    answers = self.answers.classes(path)
        return self.row(edit.name, counts, answers, group=edit.group, strength=edit.strength)

    def noisy(self, path, scheme):
        """Another network of the same shapes, not sealed yet: every layer moved by 5% of its norm."""
        file = self.files[scheme]
        random = np.random.default_rng([self.options.seed, 77])
        for name in file.matrices:
            tensor = file.tensors[name]
            # Summed as doubles: sums of float32 end in zeros where they cancel, and values with such an end are not sealed.
            tensor[:] = tensor.astype(float) + random.normal(0, 0.05 * float(np.std(tensor)), tensor.size)
        file.save(path)
        file.undo()
        return path

    def marked_again(self):
        """Changed, then sealed with the attacker's own key."""
        counts, answers = {scheme: sealed.Count() for scheme in sealed.SCHEMES}, None
        for scheme in sealed.SCHEMES:
            changed = self.noisy(self.work / "changed.onnx", scheme)
            again = self.work / "again.onnx"
            self.other.seal(changed, again, scheme, "--reseal", *stamp(1))
            counts[scheme].add(self.vendor.check(again))
            answers = self.answers.classes(again) if scheme == "modelseal" else answers
        return self.row("every layer changed, sealed again with another key", counts, answers)

    def rewritten(self):
        """Changed, then the marks written again with the stamp that was there: the secret key is not needed."""
        count, again = sealed.Count(), self.work / "again.onnx"
        changed = self.noisy(self.work / "changed.onnx", "deepisign")
        measuring.must([self.options.evidence, "deepisign", changed, again, "--pub", self.vendor.pub,
                        "--stamp-of", self.work / "deepisign.onnx"])
        count.add(self.vendor.check(again))
        return self.row("every layer changed, marks written again with the public key", {"deepisign": count}, self.answers.classes(again))

    def swapped(self, version):
        """One layer from another network that the same vendor sealed, for each of the layers."""
        counts = {scheme: sealed.Count() for scheme in sealed.SCHEMES}
        for scheme, file in self.files.items():
            other = self.noisy(self.work / "other.onnx", scheme)
            out = self.work / "other-sealed.onnx"
            self.vendor.seal(other, out, scheme, "--reseal", *stamp(version))
            donor = WeightsFile(self.options.program, out)
            for name in file.largest(LAYERS if self.options.small else 20):
                file.tensors[name][:] = donor.tensors[name]
                path = file.save(self.work / "edited.onnx")
                file.undo()
                counts[scheme].add(self.vendor.check(path))
        same = "the same stamp" if version == 1 else "another version in its stamp"
        return self.row(f"one layer from another sealed network, {same}", counts)

    def rows(self):
        yield self.control()
        for edit in edits(self.options.small):
            yield self.edited(edit)
        yield self.marked_again()
        if self.options.evidence:
            yield self.rewritten()
        yield self.swapped(1)
        yield self.swapped(2)


def types(options, vendor, data, work):
    """Networks that are stored in other types: a scheme may refuse them. One bit anywhere in the file is changed."""
    models = [("SqueezeNet, f16", "onnx/squeezenet1.0-fp16-imagenet.onnx"), ("ShuffleNet v2, int8", "onnx/shufflenet-v2-12-int8-imagenet.onnx"),
              ("MobileNet v2, int8 (QDQ)", "onnx/mobilenetv2-int8-qdq-imagenet/model.onnx")]
    for name, file in models[:1] if options.small else models:
        counts, controls, refusals = {}, {}, {}
        for scheme in sealed.SCHEMES:
            path = work / "typed.onnx"
            if vendor.try_to_seal(data / "models" / file, path, scheme):
                refusals[scheme] = "refuses to seal"
                continue
            controls[scheme], counts[scheme] = sealed.Count(), sealed.Count()
            controls[scheme].add(vendor.check(path))
            whole = path.read_bytes()
            random = np.random.default_rng(options.seed)
            for _ in range(2 if options.small else 20):
                changed = bytearray(whole)
                changed[int(random.integers(len(whole) // 4, len(whole) * 3 // 4))] ^= 1 << int(random.integers(8))
                path.write_bytes(changed)
                counts[scheme].add(vendor.check(path))
        for what, found, control in (("nothing (control)", controls, True), ("one bit of a weight or of the graph", counts, False)):
            cells = dict(refusals)
            for scheme, count in found.items():
                cells |= count.cells(scheme)
            yield {"network": name, "attack": what, "control": control, **cells}
