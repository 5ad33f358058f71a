"""The tables of the paper on sample pairing (SSP, arXiv 2404.07572) on real networks: its schedule, modelseal's pairs, generated triggers, DBI,
AID and natural images, with as many queries each: backdoors, fine-tuning, pruning, quantization (its Tables II to IV, Figure 3), edits of single weights and
layers, and the time to make them (Table V). The untouched network is in each of them, on the same and on other runtimes."""
import collections
import math

import fingerprints
import networks
import plot
import rendering
from rendering import Column

RATES = ["1e-10", "1e-9", "1e-8", "1e-7", "1e-6", "1e-5", "1e-4", "1e-3"]
SHARES = [0.001, 0.01, 0.1, 0.3]
RUNTIMES = [("--batch", 64), ("--batch", 1), ("--batch", 7), ("--jobs", 1)]  # of the untouched network
UNTOUCHED = "nothing (control)"


def attacks(options, network, layers):
    """name -> what modelseal_evidence attack takes, once for each seed or layer."""
    train = ["--data", network.train, "--steps", options.steps]
    yield "saved again (control)", [["--kind", "finetune", "--rate", 0, "--data", network.train, "--steps", 1]]
    seeds = range(1, options.seeds + 1)
    yield "backdoor, 10 marked images, 1e-5", [["--kind", "backdoor", "--rate", "1e-5", "--samples", 10, "--seed", s, *train] for s in seeds]
    for rate in RATES:
        yield f"fine-tuning at {rate}", [["--kind", "finetune", "--rate", rate, "--seed", s, *train] for s in seeds]
    for share in SHARES:
        yield f"{share:.1%} of the weights pruned", [["--kind", "prune", "--share", share]]
    yield "8-bit quantization", [["--kind", "int8"]]
    yield "cast to float16", [["--kind", "fp16"]]
    yield "cast to bfloat16", [["--kind", "bf16"]]
    yield "one weight + 1 %, each layer", [["--kind", "weight", "--layer", layer] for layer in range(layers)]
    yield "one layer x 1.001, each layer", [["--kind", "layer", "--layer", layer, "--add", 0.001] for layer in range(layers)]
    yield "an exponent bit of one weight", [["--kind", "exponent", "--seed", s] for s in seeds]
    yield "two classes swapped", [["--kind", "swap"]]


class Table:
    """One network."""

    def __init__(self, options, network, work, pairs, steps):
        self.options, self.network, self.work = options, network, work
        self.seal, self.evidence = fingerprints.vendor(options, work)
        networks.prepare(network, self.seal, self.evidence)
        self.methods = fingerprints.methods(pairs, steps)
        self.natural = fingerprints.NaturalImages(2 * pairs)
        self.rows, self.costs = [], []

    def make(self):
        for method in self.methods:
            made = method.make(self.seal, self.network, self.work / f"{method.name.replace(', ', '-').replace(' ', '-')}.fp", self.options.seed)
            queries = sum(rung.get("pairs", 0) * 2 + rung.get("triggers", 0) for rung in made["rungs"][:1])
            seconds = made["run"]["seconds"]
            self.costs.append({"network": self.network.name, "method": method.name, "queries": queries, "evaluations": made["evaluations"],
                               "steps": method.steps, "seconds": seconds, "processor_seconds": made["run"]["processor_seconds"],
                               "per_1000_steps": round(1000 * seconds / method.steps, 1) if method.steps else None})
        self.natural.make(self.evidence, self.network, self.work, self.options.seed)
        self.methods.append(self.natural)

    def row(self, attack, method, control, same, other):
        """`same`, `other`: answers on the same runtime and on others."""
        mean = lambda values: round(sum(values) / len(values), 2) if values else None
        return {"network": self.network.name, "attack": attack, "method": method.name, "ours": method.ours, "control": control,
                "single_percent": mean([answer.share()[0] for answer in same]), "pair_percent": mean([answer.share()[1] for answer in same]),
                "mismatched_percent": mean([100 * answer.mismatched / answer.count for answer in same if not answer.single]),
                "other_single_percent": mean([answer.share()[0] for answer in other]),
                "noticed": sum(answer.noticed for answer in same), "tried": len(same),
                "noticed_elsewhere": sum(answer.noticed for answer in other), "tried_elsewhere": len(other)}

    def run(self):
        self.make()
        for method in self.methods:
            others = [method.check(self.seal, self.network.model, runtime) for runtime in (RUNTIMES if method is not self.natural else RUNTIMES[:1])]
            self.rows.append(self.row(UNTOUCHED, method, True, [method.check(self.seal, self.network.model)], others))
        for attack, variants in attacks(self.options, self.network, self.evidence.layers(self.network.model)):
            same, other = collections.defaultdict(list), collections.defaultdict(list)
            for variant in variants:
                file = self.work / "attacked.pt"
                self.evidence.attack(self.network.model, file, *variant)
                for method in self.methods:
                    same[method.name].append(method.check(self.seal, file))
                    elsewhere = method.check(self.seal, file, fingerprints.OTHER)
                    other[method.name] += [elsewhere] if elsewhere else []
            for method in self.methods:
                self.rows.append(self.row(attack, method, "control" in attack, same[method.name], other[method.name]))

    def pivot(self):
        """A line for each attack, a cell for each method."""
        lines = {}
        for row in self.rows:
            cell = f"{row['single_percent']:.1f}"
            if row["mismatched_percent"] is None:
                cell += f" / {row['pair_percent']:.1f}"
            else:
                cell += f" ({row['mismatched_percent']:.1f})"
            elsewhere = f"{row['noticed_elsewhere']} of {row['tried_elsewhere']}" if row["tried_elsewhere"] else "-"
            cell += f"; {row['noticed']} of {row['tried']}, {elsewhere}"
            lines.setdefault(row["attack"], {"attack": row["attack"]})[row["method"]] = cell
        return list(lines.values())


def curve(rows, names, title, x_name, x_of, x_form):
    lines = []
    for method in dict.fromkeys(row["method"] for row in rows):
        points = [(x_of(row["attack"]), row["pair_percent"]) for row in rows if row["method"] == method and row["attack"] in names]
        lines.append(plot.Line(method, sorted(points), dashed=method == "natural images"))
    return plot.svg([plot.Panel(title, lines)], x_name, "% of pairs that change", (0, 105), x_form)


def figures(table):
    tuned = [f"fine-tuning at {rate}" for rate in RATES]
    pruned = [f"{share:.1%} of the weights pruned" for share in SHARES]
    yield "fine-tuning", curve(table.rows, tuned, f"Fine-tuning, {table.network.name}", "learning rate",
                               lambda attack: math.log10(float(attack.rsplit(" ", 1)[1])), lambda x: f"1e{x:g}")
    yield "pruning", curve(table.rows, pruned, f"Pruning, {table.network.name}", "% of the weights",
                           lambda attack: math.log10(float(attack.split("%")[0])), lambda x: f"{10 ** x:g}")


# What a method of ours must notice on the same runtime, whatever the network; and no alarm on any runtime.
MUST = ["backdoor, 10 marked images, 1e-5", "fine-tuning at 1e-5", "fine-tuning at 1e-4", "fine-tuning at 1e-3", "8-bit quantization",
        "two classes swapped"]


def broken_bounds(rows):
    if not any(row["control"] for row in rows) or not any(row["attack"] in MUST for row in rows):
        yield "the table is empty, or has no control"
    for row in rows:
        where = f"{row['network']}: {row['attack']}: {row['method']}"
        if row["control"] and row["ours"] and row["noticed"] + row["noticed_elsewhere"]:
            yield f"{where}: false alarms"
        if row["attack"] in MUST and row["method"].startswith("pairs") and row["noticed"] < row["tried"]:
            yield f"{where}: noticed {row['noticed']} of {row['tried']}"


NOTES = ("Cells: % of single queries that change their label / of pairs of them, either of which may change, on the same runtime; of pairs of SSP "
         "and of modelseal % that have a member across the boundary, and in brackets % that mismatch (on the same runtime in any bit). Then how "
         "many checks notice it: on the same runtime, and on another (`check --batch 64`; of the untouched network batches 1, 7, 64 and one "
         "thread). *Natural images* are test images; their other runtime is ONNX Runtime. Any changed "
         "label is an alarm of them, of SSP, DBI and AID, as published; but of DBI and AID the queries count whose labels honest runtimes agreed "
         "on when they were made, as of generated triggers.")
COSTS = [Column("network", "network"), Column("method", "method"), Column("queries", "queries"), Column("evaluations", "evaluations", "{:,}"),
         Column("steps", "steps", "{:,}"), Column("per_1000_steps", "seconds per 1,000 steps", "{:.1f}"),
         Column("seconds", "seconds to a fingerprint", "{:.1f}"), Column("processor_seconds", "CPU seconds", "{:.0f}")]
COST_NOTES = ("A step along a gradient counts as 3 evaluations. *Per 1,000 steps* divides the time to a finished fingerprint, with its noise measured, "
              "by the steps of the method, as the paper counts them; modelseal's pairs have none, and its triggers are trained until they have "
              "their classes, for at most 300 steps.")


def pairs(options, work):
    """Two tables for each network, of what is noticed and of costs; returns what is out of bounds."""
    wrong = []

    def head(notes):
        return {"made": rendering.today(), "command": options.command_line, "machine": options.machine, "seed": options.seed,
                "versions": options.versions, "notes": [*options.notes, *notes]}

    for network in networks.networks(options.data, work, options.networks):
        count, steps = options.pairs, fingerprints.PUBLISHED_STEPS if network.name == "mnist" else options.trigger_steps
        folder = work / f"pairs-{network.name}"
        folder.mkdir()
        table = Table(options, network, folder, count, steps)
        table.run()
        columns = [Column("attack", "attack"), *[Column(method.name, method.name) for method in table.methods]]
        budget = (f"{2 * count} queries of each method ({count} pairs); attacks that train take {options.steps} steps of 128 images, "
                  f"{options.seeds} seeds. ")
        rendering.write(options.output, f"pairs-{network.name}", f"Black-box methods: {network.name}", head([budget + NOTES]), columns, table.pivot(),
                        figures(table), table.rows)
        wrong += broken_bounds(table.rows)
        rendering.write(options.output, f"pairs-{network.name}-costs", f"Black-box methods: what a fingerprint costs, {network.name}",
                        head([COST_NOTES]), COSTS, table.costs)
    return wrong
