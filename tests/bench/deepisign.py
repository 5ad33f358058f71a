"""The tables of the paper on DeepiSign (Abuadbba, Kim, Nepal, SAC 2021) on real networks, for its scheme and for modelseal's: accuracy by
watermark level (its Table 1), distortion (Figure 2), attacks (Tables 2 and 3, Figure 7), and edits that the paper does not have."""
import json
import math

import answers_of
import edits
import measuring
import networks
import plot
import rendering
import sealed
import training_attacks
from rendering import Column
from weights_file import WeightsFile

LEVELS = [1, 2, 3, 4]
SIZES = [1_000, 4_000, 12_000, 48_000]  # weights of a transform; the paper stays below 12,000
ORIGINAL = "as published"
ALL = 1 << 30  # bits of a layer: each coefficient of the upper bands carries
LARGEST_LOSS = 0.5  # points of accuracy that a seal may cost
FAIR = 90  # % of single weights moved by 0.1 that the deepisign scheme notices in small layers, as published

# What is left out without modelseal_evidence, which needs LibTorch.
LEFT_OUT = ["other watermark levels than 2", "distortion by transform", "attacks that train", "marks that are written again with the public key"]


def marked(options, vendor, network, out, level, size=12_000, bits=8192):
    """With parameters that no command offers. Returns the highest bit error rate of a layer, in %."""
    said = measuring.must([options.evidence, "deepisign", network.model, out, "--pub", vendor.pub, "--level", level,
                           "--transform-weights", size, "--layer-bits", bits])
    return max(100 * layer["bit_error_rate"] for layer in json.loads(said)["layers"])


def accuracy_rows(options, vendor, network, work):
    answers = answers_of.Answers(network, options.images)
    before, original = WeightsFile(options.program, network.model), answers.classes(network.model)

    def row(name, path, errors):
        classes = answers.classes(path)
        return {"network": network.name, "name": name, "top1": answers.top1(classes), "answers_changed": int((classes != original).sum()),
                "images": len(original), "distortion": round(WeightsFile(options.program, path).norm_of_change(before), 9),
                "bit_error_rate": errors}

    yield row(ORIGINAL, network.model, None)
    for scheme in sealed.SCHEMES:
        path = work / f"{scheme}.onnx"
        refused = vendor.try_to_seal(network.model, path, scheme)
        if refused:
            yield {"network": network.name, "name": f"{scheme}: refuses to seal: {refused}"}
            continue
        found = vendor.check(path)
        if found.noticed:
            raise measuring.Failed(f"{network.name}: {scheme}: a fresh seal is {found.outcome}")
        yield row(f"{scheme}, as sealed", path, 0)
    if options.evidence:
        for level in LEVELS:
            for bits, what in ((8192, "8,192 bits a layer"), (ALL, "every coefficient")):
                path = work / "level.onnx"
                errors = marked(options, vendor, network, path, level, bits=bits)
                yield row(f"deepisign, {level} bit{'s' if level > 1 else ''}, {what}", path, errors)


def accuracy(options, vendor, work, head):
    rows = [row for network in options.published for row in accuracy_rows(options, vendor, network, work)]
    columns = [Column("network", "network"), Column("name", "what"), Column("top1", "top-1 %", "{:.2f}"),
               Column("answers_changed", "answers changed"), Column("images", "of"), Column("distortion", "distortion %", "{:.2g}"),
               Column("bit_error_rate", "bit errors %", "{:g}")]
    notes = ["*Distortion* is the norm of the change over that of the weights, of all layers together. *Bit errors* are read from the "
             "file that was written, from the layer that has most. Controls are the first rows, and each fresh seal, which checks as intact."]
    rendering.write(options.output, "deepisign-accuracy", "DeepiSign and modelseal: accuracy by watermark level", head(notes), columns, rows)
    first = {row["network"]: row["top1"] for row in rows if row["name"] == ORIGINAL}
    for row in rows:
        if "as sealed" in row["name"] and abs(row["top1"] - first[row["network"]]) > LARGEST_LOSS:
            yield f"{row['network']}: {row['name']}: top-1 {row['top1']} %, {first[row['network']]} % before"
        if row.get("bit_error_rate"):
            yield f"{row['network']}: {row['name']}: {row['bit_error_rate']} % bit errors in a fresh mark"
    if not rows:
        yield "the table of accuracy is empty"


def distortion(options, vendor, work, head):
    network = options.published[1]
    before, rows = WeightsFile(options.program, network.model), []
    for size in SIZES:
        for level in LEVELS:
            path = work / "level.onnx"
            marked(options, vendor, network, path, level, size, ALL)
            rows.append({"network": network.name, "weights": size, "level": level,
                         "distortion": round(WeightsFile(options.program, path).norm_of_change(before), 4)})
    columns = [Column("network", "network"), Column("weights", "weights a transform, at most", "{:,}"), Column("level", "bits a coefficient"),
               Column("distortion", "distortion %", "{:.3f}")]
    lines = [plot.Line(f"{size:,} weights", [(row["level"], row["distortion"]) for row in rows if row["weights"] == size]) for size in SIZES]
    top = 1.1 * max(row["distortion"] for row in rows)
    figure = plot.svg([plot.Panel(network.name, lines)], "bits a coefficient", "distortion %", (0, top))
    notes = ["Every coefficient of bands 17-32 carries, as in Figure 2 of the paper. *Distortion* is the norm of the change over that of "
             "the weights."]
    rendering.write(options.output, "deepisign-distortion", "DeepiSign: distortion by watermark level and transform", head(notes), columns, rows,
                    [("levels", figure)])
    for size in SIZES:
        series = [row["distortion"] for row in rows if row["weights"] == size]
        if series != sorted(series):
            yield f"distortion does not grow with the watermark level at {size} weights: {series}"


def attacks(options, vendor, work, head):
    data = networks.networks(options.data, work, ["mnist", "cifar10"])
    attacked = training_attacks.Attacked(options, vendor, work)
    rows = [row for network in data for row in attacked.rows(network)]
    columns = [Column("network", "network"), Column("attack", "attack"), Column("top1", "top-1 %", "{:.2f}"),
               Column("fooled", "backdoor works %", "{:.0f}"), Column("modelseal", "modelseal notices"), Column("deepisign", "deepisign notices"),
               Column("broken_layers", "its bit errors % in layers that do not hold"), Column("other_layers", "in the others")]
    notes = [f"{options.steps} steps of 128 images, of poisoning three times as many; seeds of each attack that trains: {options.seeds}. Weights "
             "alone are judged (`check --weights-only`), since LibTorch writes another file whatever it changes; *saved again* is the control. "
             "*Lost*: no mark is found any more, so the check reports an unsealed model. Top-1 of the copy with modelseal's seal, the first seed, "
             f"on {training_attacks.TESTED:,} test images; *backdoor works*: other training images of the class with the mark that are taken for "
             "the other class. Bit errors: lowest to highest of a layer, over the seeds. The paper trains for 10 epochs, which moves weights "
             "more than these steps."]
    rendering.write(options.output, "deepisign-attacks", "DeepiSign and modelseal: attacks that train", head(notes), columns, rows)
    yield from sealed.broken_bounds(rows)


def figure_of(rows, group, x_of, title, x_name, x_form):
    lines = []
    for scheme in sealed.SCHEMES:
        points = {}
        for row in rows:
            if row.get("group") == group:
                points.setdefault(x_of(row["strength"]), []).append(row[f"{scheme}_percent"])
        lines.append(plot.Line(scheme, sorted((x, sum(y) / len(y)) for x, y in points.items())))
    return plot.svg([plot.Panel(title, lines)], x_name, "noticed %", (0, 105), x_form)


def edited(options, vendor, work, head):
    rows = []
    for network in options.published[:2]:
        folder = work / f"edits-{len(rows)}"
        folder.mkdir()
        rows += edits.Trial(options, network, vendor, folder).rows()
    rows += edits.types(options, vendor, options.data, work)
    columns = [Column("network", "network"), Column("attack", "edit"), Column("modelseal", "modelseal notices"),
               Column("deepisign", "deepisign notices"), Column("deepisign_bit_error_rate", "its bit errors %", "{:.1f}"),
               Column("answers_changed", "answers changed %", "{:.1f}"), Column("top1", "top-1 %", "{:.1f}")]
    figures = [("sizes", figure_of(rows, "size", lambda text: math.log10(float(text)), "One weight", "moved by", lambda x: f"1e{x:g}")),
               ("bits", figure_of(rows, "bit", float, "One bit", "bit of a float32", "{:g}".format))]
    notes = ["Each edit is made in the sealed file, the same in both, and every other byte stays. Weights are drawn from all tensors, seeds by the "
             "number of the try. *Bit errors*: mean over tensors that are reported. *Lost*: no mark is found any more. Answers and top-1 are "
             f"those of the edited network, on {min(options.images, edits.TESTED):,} test images. A layer hides at most 8,192 bits, so that few "
             "of the coefficients of a large one carry: the MNIST network has one of 371,712 weights."]
    rendering.write(options.output, "deepisign-edits", "DeepiSign and modelseal: edits", head(notes), columns, rows, figures)
    yield from sealed.broken_bounds(rows)
    coarse = [row["deepisign_percent"] for row in rows if row.get("strength") == edits.SIZES[0] and "ResNet" in row["network"]]
    if not coarse or min(coarse) < FAIR:
        yield f"deepisign notices {coarse} % of changes of 0.1 in layers where it can: the comparison is not fair"


def deepisign(options, work):
    """Those of the tables that `options` name; returns what is out of bounds."""
    vendor = sealed.Vendor(options.program, work)
    options.published = answers_of.networks(options.data)
    if options.small:
        options.published, options.images = options.published[1:2], min(options.images, 300)

    left_out = [] if options.evidence else ["Left out without modelseal_evidence: " + ", ".join(LEFT_OUT) + "."]

    def head(notes):
        return {"made": rendering.today(), "command": options.command_line, "machine": options.machine, "seed": options.seed,
                "versions": options.versions, "notes": [*options.notes, *left_out, *notes]}

    tables = {"accuracy": accuracy, "edits": edited}
    if options.evidence:
        tables |= {"distortion": distortion, "attacks": attacks}
    return [line for name, table in tables.items() if name in options.tables for line in table(options, vendor, work, head)]
