"""The tables and plots of triggers.py."""
import statistics

import plot


def share(cells):
    """Mean over the seeds, in %."""
    return 100 * statistics.fmean(matched / count if count else 0 for matched, count, _ in cells)


def cost_table(trial):
    yield "| method | seconds | processor seconds | peak memory, MiB | evaluations of the model | bytes | model file |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for method, made in trial.costs.items():
        def mean(value):
            return statistics.fmean(map(value, made))
        evaluations = f"{mean(lambda one: one['evaluations']):,.0f}" if all("evaluations" in one for one in made) else "-"
        peak = max(one["run"]["peak_mib"] for one in made)
        same = "same hash" if all(one["untouched"] for one in made) else "CHANGED"
        yield (f"| {method} | {mean(lambda one: one['run']['seconds']):.1f} | {mean(lambda one: one['run']['processor_seconds']):.1f} "
               f"| {peak:.0f} | {evaluations} | {mean(lambda one: one['bytes']):,.0f} | {same} |")


def name_of(curve, strength):
    if strength == 0:
        return curve
    return f"{curve}, {strength} %" if curve == "pruned" else f"{curve}, epoch {strength}"


def match_table(trial, columns):
    accuracies = trial.accuracies()
    yield "| copy | top-1 % | " + " | ".join(columns) + " |"
    yield "| --- | --- |" + " --- |" * len(columns)
    for curve, files in trial.curves.items():
        for strength, file in files.items():
            row = [trial.cells[curve, strength, column] for column in columns]
            shown = [f"{share(cells):.1f} ({sum(noticed for *_, noticed in cells)} of {len(cells)})" for cells in row]
            yield f"| {name_of(curve, strength)} | {accuracies[file.stem]:.2f} | " + " | ".join(shown) + " |"


def document(trial, columns):
    return "\n".join([f"### {trial.network.name}", "", "Making a fingerprint:", "", *cost_table(trial), "",
                      "Triggers that keep their label (of pairs: those that answer as recorded), in %, mean over the seeds; in brackets",
                      "how many checks report tampering:", "", *match_table(trial, columns), ""])


def plot_of(trial, columns, solid):
    """AccTri over epochs, a panel for each way of training; epoch 0 is the untouched network."""
    panels = []
    for curve, files in trial.curves.items():
        if "rate" not in curve:
            continue
        places = {0: ("untouched", 0)} | {epoch: (curve, epoch) for epoch in files}
        lines = [plot.Line(column, [(x, share(trial.cells[*place, column])) for x, place in places.items()], column not in solid)
                 for column in columns]
        panels.append(plot.Panel(f"{trial.network.name}: {curve}", lines))
    return plot.svg(panels, "epochs", "AccTri, %", (0, 100))
