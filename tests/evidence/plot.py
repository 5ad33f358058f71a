"""Line charts as SVG, in panels side by side; the standard library alone."""
import dataclasses
import html

WIDTH, HEIGHT = 320, 240  # of a panel's area
LEFT, TOP, GAP, BOTTOM = 52, 34, 26, 46
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"]  # Okabe and Ito


@dataclasses.dataclass
class Line:
    name: str
    points: list  # (x, y), in order of x
    dashed: bool = False


@dataclasses.dataclass
class Panel:
    title: str
    lines: list


def text(x, y, words, anchor="middle", size=12, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {more}>{html.escape(words)}</text>'


def ticks(low, high):
    """At most six round numbers."""
    step = next(s for p in range(-3, 6) for s in (10.0**p, 2 * 10.0**p, 5 * 10.0**p) if (high - low) / s <= 5.0001)
    first = -(-low // step)
    return [first * step + i * step for i in range(int((high - first * step) / step + 1.0001))]


class Axes:
    def __init__(self, left, x, y):
        self.left, self.x, self.y = left, x, y

    def at(self, point):
        (x0, x1), (y0, y1) = self.x, self.y
        return (self.left + (point[0] - x0) / (x1 - x0) * WIDTH, TOP + (y1 - point[1]) / (y1 - y0) * HEIGHT)

    def frame(self, title, x_name, y_name, x_form):
        yield f'<rect x="{self.left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#444"/>'
        yield text(self.left + WIDTH / 2, TOP - 12, title, size=14)
        yield text(self.left + WIDTH / 2, TOP + HEIGHT + 36, x_name)
        for value in ticks(*self.x):
            x, _ = self.at((value, self.y[0]))
            yield f'<line x1="{x:.1f}" y1="{TOP + HEIGHT}" x2="{x:.1f}" y2="{TOP + HEIGHT + 4}" stroke="#444"/>'
            yield text(x, TOP + HEIGHT + 18, x_form(value), size=11)
        for value in ticks(*self.y):
            _, y = self.at((self.x[0], value))
            yield f'<line x1="{self.left}" y1="{y:.1f}" x2="{self.left + WIDTH}" y2="{y:.1f}" stroke="#ddd"/>'
            yield text(self.left - 6, y + 4, f"{value:g}", "end", 11)
        if y_name:
            yield text(14, TOP + HEIGHT / 2, y_name, more=f'transform="rotate(-90 14 {TOP + HEIGHT / 2})"')

    def line(self, line, color):
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, line.points))
        dash = ' stroke-dasharray="5 4"' if line.dashed else ""
        yield f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="1.8"{dash}/>'
        for x, y in map(self.at, line.points):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{color}"/>'


def legend(names, top):
    for i, (name, (color, dashed)) in enumerate(names.items()):
        x, y = LEFT + (i % 4) * 240, top + (i // 4) * 20
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        yield f'<line x1="{x}" y1="{y}" x2="{x + 26}" y2="{y}" stroke="{color}" stroke-width="2"{dash}/>'
        yield text(x + 32, y + 4, name, "start")


def svg(panels, x_name, y_name, y_range, x_form="{:g}".format):
    """One SVG document; a line has the color of its name in every panel. `x_form` writes the numbers below."""
    names = {}
    for panel in panels:
        for line in panel.lines:
            names.setdefault(line.name, (COLORS[len(names) % len(COLORS)], line.dashed))
    parts = []
    for i, panel in enumerate(panels):
        xs = [x for line in panel.lines for x, _ in line.points] or [0, 1]
        axes = Axes(LEFT + i * (WIDTH + GAP + 20), (min(xs), max(max(xs), min(xs) + 1e-9)), y_range)
        parts += axes.frame(panel.title, x_name, y_name if i == 0 else "", x_form)
        for line in panel.lines:
            parts += axes.line(line, names[line.name][0])
    width = max(LEFT + len(panels) * (WIDTH + GAP + 20), LEFT + 960)
    height = TOP + HEIGHT + BOTTOM + 24 + 20 * (-(-len(names) // 4))
    parts += legend(names, TOP + HEIGHT + BOTTOM + 16)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">\n'
            f'<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def bars(values, title, x_name):
    """One SVG document of horizontal bars: (name, number) each."""
    name_width, bar, top = 220, 22, 40
    most = max((value for _, value in values), default=1) or 1
    parts = [text(name_width, 22, title, "start", 14)]
    for i, (name, value) in enumerate(values):
        y, width = top + i * bar, value / most * 2 * WIDTH
        color = COLORS[1 if name.startswith("modelseal") else 0]
        parts.append(text(name_width - 8, y + 13, name, "end"))
        parts.append(f'<rect x="{name_width}" y="{y}" width="{width:.1f}" height="{bar - 6}" fill="{color}"/>')
        parts.append(text(name_width + width + 6, y + 13, f"{value:.3g}", "start", 11))
    height = top + len(values) * bar + 30
    parts.append(text(name_width, height - 10, x_name, "start"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{name_width + 2 * WIDTH + 80}" height="{height}" font-family="sans-serif">\n'
            f'<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")
