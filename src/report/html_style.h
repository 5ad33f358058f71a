// The look of the page that to_html() makes.
#pragma once

#include <string_view>

namespace modelseal::report {

inline constexpr std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5c6878; --line: #e3e7ec; --bar: #dbe1e8;
  --good: #1a7f4b; --good-soft: #e3f4ea; --bad: #c02636; --bad-soft: #fce8ea; --warn: #8a5a00; --warn-soft: #fdf1d8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2028; --ink: #e4e9ef; --soft: #97a3b2; --line: #2b333e; --bar: #323c49;
    --good: #55c98a; --good-soft: #173426; --bad: #ff7a86; --bad-soft: #40191f; --warn: #f0b95a; --warn-soft: #3a2c12;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 2.5rem 1.25rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 66rem; margin: 0 auto; }
header { margin: 0 0 1.75rem; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -.01em; }
header p { margin: .2rem 0 0; color: var(--soft); }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
article {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; margin: 0 0 1.5rem; overflow: hidden;
  box-shadow: 0 1px 2px rgb(0 0 0 / 5%), 0 8px 24px rgb(0 0 0 / 4%);
}
.top { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: 1.25rem 1.5rem 1.25rem calc(1.5rem - 6px); border-left: 6px solid var(--tone); }
.top h2 { margin: 0; font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; flex: 1 1 16rem; }
.badge { padding: .2rem .8rem; border-radius: 999px; background: var(--tone-soft); color: var(--tone); font-weight: 650; white-space: nowrap; }
.top .detail { flex-basis: 100%; margin: 0; color: var(--soft); overflow-wrap: anywhere; }
.good { --tone: var(--good); --tone-soft: var(--good-soft); }
.bad { --tone: var(--bad); --tone-soft: var(--bad-soft); }
.warn { --tone: var(--warn); --tone-soft: var(--warn-soft); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 1rem 1.5rem; margin: 0; padding: 1.25rem 1.5rem; border-top: 1px solid var(--line); }
dl div { min-width: 0; }
dl .wide { grid-column: 1 / -1; }
dt { color: var(--soft); font-size: .78rem; text-transform: uppercase; letter-spacing: .05em; }
dd { margin: .1rem 0 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
dd.off { color: var(--bad); font-weight: 600; }
h3 { margin: 0; padding: 1.25rem 1.5rem 0; font-size: .95rem; border-top: 1px solid var(--line); }
.scroll { overflow-x: auto; padding: .25rem 1.5rem 1.25rem; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-size: .78rem; font-weight: 500; padding: .6rem .75rem .35rem 0; white-space: nowrap; }
td { padding: .55rem .75rem .55rem 0; border-top: 1px solid var(--line); vertical-align: top; }
td.name { overflow-wrap: anywhere; min-width: 11rem; }
td.name small, td.where small { display: block; color: var(--soft); overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.where { width: 46%; min-width: 15rem; padding-right: 0; }
svg { display: block; width: 100%; height: 14px; border-radius: 4px; margin: .35rem 0 .2rem; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: .75rem 0 0; flex: 1 1 15rem; max-width: 20rem; }
figcaption { color: var(--soft); font-size: .85rem; margin-top: .4rem; }
svg.plot { height: auto; border: 1px solid var(--line); margin: 0; }
svg .wrong { fill: var(--bad); opacity: .07; }
svg .grid { stroke: var(--line); stroke-width: .7; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .same { stroke: var(--soft); stroke-dasharray: 3 3; fill: none; }
svg .dot { fill: var(--good); opacity: .8; }
.pad { padding: 0 1.5rem 1.25rem; }
img { display: block; max-width: 100%; border-radius: 6px; image-rendering: pixelated; }
svg .rest { fill: var(--bar); }
svg .hit { fill: var(--bad); }
svg .new { fill: var(--warn); }
svg .gone, svg .anywhere { fill: var(--bad); opacity: .4; }
.more, .legend { color: var(--soft); font-size: .85rem; margin: .5rem 0 0; }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: 3px; margin: 0 .35em 0 1em; vertical-align: -1px; }
.swatch.hit { background: var(--bad); }
.swatch.rest { background: var(--bar); }
.swatch.new { background: var(--warn); }
@media print { body { background: none; padding: 0; } article { box-shadow: none; break-inside: avoid; } }
)css";

}  // namespace modelseal::report
