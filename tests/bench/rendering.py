"""A table of results as JSON, as Markdown, and as a plot."""
import dataclasses
import datetime
import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "evidence"))
import plot  # noqa: E402


@dataclasses.dataclass
class Column:
    key: str
    title: str
    form: str = "{}"  # of a number; a missing value is "-"


def size_text(count):
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.4g} {unit}"
    return f"{count} B"


def cell(column, row):
    value = row.get(column.key)
    if value is None:
        return "-"
    return column.form.format(value) if not isinstance(value, str) else value.replace("|", "\\|")


def markdown(columns, rows):
    text = lambda value: isinstance(value, str)
    out = ["| " + " | ".join(column.title for column in columns) + " |"]
    sides = ["---" if any(text(row.get(c.key)) for row in rows) else "---:" for c in columns]
    out.append("| " + " | ".join(sides) + " |")
    out += ["| " + " | ".join(cell(column, row) for column in columns) + " |" for row in rows]
    return "\n".join(out) + "\n"


def head_lines(head):
    """Whatever a figure depends on, a line each."""
    m = head["machine"]
    yield (f"Made {head['made']} with `{head['command']}` on {m['processors']} processors of {m['processor']}, "
           f"{size_text(m['memory_bytes'])} of memory, Linux {m['kernel']}, Python {m['python']}; load {m['load']} before it began.")
    yield "Versions: " + "; ".join(f"{name}: {version}" for name, version in head["versions"].items()) + "."
    if head.get("missing"):
        yield "Not installed here, and so not in the table: " + ", ".join(head["missing"]) + "."
    yield from head.get("notes", [])


def write(output, name, title, head, columns, rows, figures=(), details=None):
    """NAME.json, NAME.md and, for each of `figures` (name, SVG), NAME-name.svg; shows the Markdown. `details`: JSON's rows, if it has others."""
    output.mkdir(parents=True, exist_ok=True)
    text = f"# {title}\n\n" + "\n\n".join(head_lines(head)) + "\n\n" + markdown(columns, rows)
    for figure, svg in figures:
        (output / f"{name}-{figure}.svg").write_text(svg)
        text += f"\n![{figure}]({name}-{figure}.svg)\n"
    (output / f"{name}.md").write_text(text)
    (output / f"{name}.json").write_text(json.dumps({"table": name, **head, "rows": details or rows}, indent=1) + "\n")
    print(text)


def today():
    return datetime.date.today().isoformat()


def lines_over_sizes(rows, value, title, y_name, names):
    """SVG of `value` over the size, which is drawn by its logarithm; a line for each name."""
    lines = [plot.Line(name, sorted((row["log2_mib"], row[value]) for row in rows if row["name"] == name and row.get(value)))
             for name in names]
    lines = [line for line in lines if line.points]
    top = max(y for line in lines for _, y in line.points) * 1.05
    return plot.svg([plot.Panel(title, lines)], "MiB", y_name, (0, top), x_form=lambda power: f"{2 ** power:g}")


def bars(rows, value, title, x_name):
    """SVG of `value` of each row, by its name."""
    return plot.bars([(row["name"], row[value]) for row in rows if row.get(value)], title, x_name)
