"""Joins accuracy.txt and the answers of check (FILE.json) in this folder into one Markdown table."""
import json
import sys


def accuracies(path):
    """name of a model file -> (top-1 in per cent, answers that differ from the original's)"""
    rows = {}
    with open(path) as lines:
        next(lines)
        for line in lines:
            words = line.split()
            rows[words[0].rsplit("/", 1)[-1]] = (float(words[3]), int(words[4]))
    return rows


def answer(path):
    """verdict, changed tensors, and the bit error rates of changed and of other tensors"""
    with open(path) as file:
        check = json.load(file)
    seal = check["checks"][0]
    if seal["outcome"] == "not-found":
        return "not found", "", ""
    rates = {True: [], False: []}
    changed = 0
    for tensor in seal["tensors"]:
        differs = tensor["outcome"] != "intact"
        changed += differs
        if tensor.get("bit_error_rate") is not None:
            rates[differs].append(100 * tensor["bit_error_rate"])
    return check["verdict"], str(changed), f"{spread(rates[True])} / {spread(rates[False])}"


def spread(rates):
    if not rates:
        return "-"
    low, high = f"{min(rates):.1f}", f"{max(rates):.1f}"
    return f"{low} %" if low == high else f"{low}-{high} %"


def main():
    accuracy = accuracies(sys.argv[1])
    print("| file | top-1 % | answers changed | modelseal | changed tensors | bit errors there / elsewhere "
          "| top-1 % | answers changed | deepisign | changed tensors | bit errors there / elsewhere |")
    print("| --- " * 11 + "|")
    for name in sorted(one for one in accuracy if one.startswith("modelseal.")):
        row = [name.split(".", 1)[1]]
        for scheme in ("modelseal.", "deepisign."):
            file = scheme + row[0]
            if file in accuracy:
                row += [f"{accuracy[file][0]:.2f}", str(accuracy[file][1]), *answer(file + ".json")]
            else:
                row += ["", "", "refused to seal", "", ""]
        print("| " + " | ".join(row) + " |")


main()
