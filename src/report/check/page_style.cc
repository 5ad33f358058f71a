// Style and script of the pages, and the policy that lets a browser run these two and nothing else.
#include <fmt/format.h>

#include "crypto/hash.h"
#include "report/check/html_parts.h"
#include "util/encodings.h"

namespace modelseal::report {
namespace {

// CSP 3, section 2.3.1: the digest of what stands between the tags.
std::string source_of(std::string_view text) {
    crypto::Sha256 digest;
    digest.update(std::as_bytes(std::span(text)));
    return fmt::format("'sha256-{}'", util::base64(digest.finish()));
}

}  // namespace

std::string page_policy() {
    return fmt::format(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        source_of(kPageStyle), source_of(kPageScript));
}

constinit const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5c6878; --line: #e3e7ec; --bar: #dbe1e8;
  --good: #14693d; --good-soft: #e3f4ea; --bad: #c02636; --bad-soft: #fce8ea; --warn: #8a5a00; --warn-soft: #fdf1d8; --focus: #1f5fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2028; --ink: #e4e9ef; --soft: #97a3b2; --line: #2b333e; --bar: #323c49;
    --good: #55c98a; --good-soft: #173426; --bad: #ff7a86; --bad-soft: #40191f; --warn: #f0b95a; --warn-soft: #3a2c12; --focus: #7fb0ff;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 6px; }
summary:focus-visible { outline-offset: -4px; border-radius: 12px; }
body {
  margin: 0; padding: 2.5rem 1.25rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 66rem; margin: 0 auto; }
header { margin: 0 0 1.5rem; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -.01em; }
header p { margin: .2rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
.overall { font-size: 1.15rem; font-weight: 650; }
header p.overall { color: var(--tone); }
dl.run { padding: 1rem 0 0; border: 0; gap: .75rem 1.5rem; }
.chips { margin: 1rem 0 0; line-height: 2.2; color: var(--soft); }
svg.share { height: 8px; margin: .5rem 0 0; border-radius: 4px; }
.share path { stroke: var(--tone); }
.tools { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; margin: 0 -1rem 1rem; padding: .75rem 1rem; background: var(--page); border-bottom: 1px solid var(--line); }
.tools label { color: var(--soft); font-size: .85rem; }
.tools label:first-child { flex: 1 1 15rem; display: flex; gap: .5rem; align-items: center; }
.tools input, .tools select, .tools button { font: inherit; font-size: .9rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .35rem .7rem; min-height: 2.25rem; }
.tools input { flex: 1; min-width: 8rem; }
.tools button { cursor: pointer; }
.tools output { color: var(--soft); font-size: .85rem; flex-basis: 100%; }
.tools output:empty { display: none; }
.chip { display: inline-block; padding: 0 .8rem; margin-right: .25rem; border-radius: 999px; line-height: 1.8; background: var(--tone-soft); color: var(--tone); text-decoration: none; }
header p.note { font-weight: 400; margin-top: .9rem; padding: .6rem .9rem; border-radius: 10px; background: var(--tone-soft); color: var(--tone); }
.group h2 { margin: 2rem 0 .75rem; font-size: 1.05rem; }
.group h2 small { color: var(--soft); font-weight: 400; }
.group { scroll-margin-top: 4rem; }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
details.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; margin: 0 0 .75rem; overflow: hidden;
  box-shadow: 0 1px 2px rgb(0 0 0 / 5%), 0 8px 24px rgb(0 0 0 / 4%);
}
.top { position: relative; cursor: pointer; list-style: none; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: 1.25rem 3.25rem 1.25rem calc(1.5rem - 6px); border-left: 6px solid var(--tone); }
.top h3 { margin: 0; font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; flex: 1 1 16rem; }
.badge { padding: .2rem .8rem; border-radius: 999px; background: var(--tone-soft); color: var(--tone); font-weight: 650; white-space: nowrap; }
.top::-webkit-details-marker { display: none; }
.top::after { content: ""; position: absolute; right: 1.4rem; top: 1.65rem; width: .5rem; height: .5rem; border: solid var(--soft); border-width: 0 2px 2px 0; transform: rotate(45deg); }
[open] > .top::after { transform: rotate(-135deg); }
.top .detail { flex-basis: 100%; margin: 0; color: var(--soft); overflow-wrap: anywhere; }
.vast details.card { content-visibility: auto; contain-intrinsic-size: auto 4.75rem; }
.many .top { padding-top: .8rem; padding-bottom: .8rem; gap: .1rem 1rem; }
.many .top::after { top: 1.2rem; }
.many .top h3, .many .badge, .many .detail { font-size: .95rem; }
.says { padding: 1rem 1.5rem; border-top: 1px solid var(--line); }
.says p { margin: 0; overflow-wrap: anywhere; }
.says p.warn { color: var(--warn); }
.plain { --tone: var(--soft); --tone-soft: var(--line); }
.good { --tone: var(--good); --tone-soft: var(--good-soft); }
.bad { --tone: var(--bad); --tone-soft: var(--bad-soft); }
.warn { --tone: var(--warn); --tone-soft: var(--warn-soft); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(12.5rem, 40%), 1fr)); gap: 1rem 1.5rem; margin: 0; padding: 1.25rem 1.5rem; border-top: 1px solid var(--line); }
dl div { min-width: 0; }
dl .wide { grid-column: 1 / -1; }
dt { color: var(--soft); font-size: .78rem; text-transform: uppercase; letter-spacing: .05em; }
dd { margin: .1rem 0 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
dd.bad { color: var(--bad); font-weight: 600; }
h4 { margin: 0; padding: 1.25rem 1.5rem 0; font-size: .95rem; border-top: 1px solid var(--line); }
h4 + .says, h4 + dl { border-top: 0; padding-top: .5rem; }
.says + dl { border-top: 0; padding-top: 0; }
.scroll { overflow-x: auto; padding: .25rem 1.5rem 1.25rem; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-size: .78rem; font-weight: 500; padding: .6rem .75rem .35rem 0; white-space: nowrap; }
td { padding: .55rem .75rem .55rem 0; border-top: 1px solid var(--line); vertical-align: top; }
td.name { overflow-wrap: anywhere; min-width: 11rem; }
td.name small, td.where small { display: block; color: var(--soft); overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.where { width: 46%; min-width: 15rem; padding-right: 0; }
.state { padding: .05rem .6rem; border-radius: 999px; background: var(--tone-soft); color: var(--tone); white-space: nowrap; }
.list { padding: .25rem 1.5rem 1.25rem; }
div.tensor, p.tensor, .tensor > summary { display: grid; grid-template-columns: minmax(11rem, 1fr) 6.5rem 46% 1rem; gap: 0 .75rem; padding: .55rem 0; margin: 0; font-variant-numeric: tabular-nums; }
div.tensor, details.tensor { border-top: 1px solid var(--line); }
.tensor > summary { list-style: none; cursor: pointer; position: relative; }
.tensor > summary::-webkit-details-marker { display: none; }
.tensor > summary::after { content: ""; justify-self: center; align-self: start; margin-top: .5rem; width: .4rem; height: .4rem; border: solid var(--soft); border-width: 0 2px 2px 0; transform: rotate(45deg); }
.tensor[open] > summary::after { transform: rotate(-135deg); }
.tensor > summary:hover .name .mono { text-decoration: underline; text-underline-offset: .2em; }
p.heads { color: var(--soft); font-size: .78rem; padding: .6rem 0 .35rem; }
.tensor .name, .tensor .where { min-width: 0; overflow-wrap: anywhere; }
.tensor .number { text-align: right; white-space: nowrap; }
.tensor small { display: block; color: var(--soft); overflow-wrap: anywhere; }
.map { padding: .25rem 0 1rem; }
.map p { margin: .5rem 0 0; color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
svg.blocks { width: auto; max-width: 100%; height: auto; margin: 0; border-radius: 0; }
svg.blocks path { stroke-width: .86; stroke-dasharray: .86 .14; }
svg { display: block; shape-rendering: crispEdges; width: 100%; height: 14px; border-radius: 4px; margin: .35rem 0 .2rem; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: .75rem 0 0; flex: 1 1 15rem; max-width: 20rem; }
figcaption { color: var(--soft); font-size: .85rem; margin-top: .4rem; }
svg.plot { height: auto; shape-rendering: auto; border: 1px solid var(--line); margin: 0; }
svg .wrong { fill: var(--bad); opacity: .07; }
svg .grid { stroke: var(--line); stroke-width: .7; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .same { stroke: var(--soft); stroke-dasharray: 3 3; fill: none; }
svg .dot { fill: var(--good); opacity: .8; }
.pad { padding: 0 1.5rem 1.25rem; }
.words { color: var(--soft); font-size: .9rem; }
.words summary { cursor: pointer; }
.words dl { display: block; border: 0; padding: .75rem 0; }
.words dt { text-transform: none; letter-spacing: 0; color: var(--ink); font-size: inherit; }
.words dd { margin: 0 0 .5rem; }
img { display: block; max-width: 100%; border-radius: 6px; image-rendering: pixelated; }
path.rest { stroke: var(--bar); }
path.hit { stroke: var(--bad); }
path.new { stroke: var(--warn); }
path.gone, path.anywhere { stroke: var(--bad); opacity: .4; }
circle.hit { fill: var(--bad); }
.more, .legend { color: var(--soft); font-size: .85rem; margin: .5rem 0 0; }
.key { white-space: nowrap; margin-left: 1em; }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: 3px; margin-right: .35em; vertical-align: -1px; }
.swatch.hit { background: var(--bad); }
.swatch.gone { background: var(--bad); opacity: .4; }
.swatch.rest { background: var(--bar); }
.swatch.new { background: var(--warn); }
@media (max-width: 44rem) {
  body { padding: 1.25rem .75rem; }
  div.tensor, .tensor > summary { grid-template-columns: 1fr auto 1rem; }
  .tensor .where { grid-column: 1 / -1; grid-row: 2; }
  p.heads { display: none; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --bar: #ddd; --good: #14693d; --good-soft: #e3f4ea; --bad: #c02636; --bad-soft: #fce8ea; --warn: #8a5a00; --warn-soft: #fdf1d8; }
  body { padding: 0; font-size: 11pt; }
  main { max-width: none; }
  .tools, .top::after, .tensor > summary::after { display: none; }
  details.card { box-shadow: none; border-radius: 4px; content-visibility: visible !important; }
  .top, div.tensor, details.tensor, tr, dl div { break-inside: avoid; }
  .group h2, h4 { break-after: avoid; }
  .badge, .chip, .top, svg, .swatch, .state, .note { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

constinit const std::string_view kPageScript = R"js(
"use strict";
(() => {
  const by = id => document.getElementById(id);
  const cards = [...document.querySelectorAll("details.card")];

  // On paper nothing can be unfolded: what does not pass is.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    const folded = "details.card:not([open]):not([hidden]), details.tensor:not([open])";
    unfolded = [...document.querySelectorAll(folded)].filter(one =>
      !one.closest("#intact, #allowed") && (cards.length <= 200 || !one.matches(".tensor")));
    for (const one of unfolded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of unfolded) one.open = false;
  });

  const tools = by("tools"), find = by("find"), outcome = by("outcome"), count = by("count");
  if (!tools) return;
  const groups = [...document.querySelectorAll("section.group")]
    .map(section => ({section, cards: [...section.querySelectorAll("details.card")]}));
  const texts = new Map();
  const textOf = card => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const {section, cards} of groups) {
      const asked = !outcome.value || outcome.value === section.id;
      let here = 0;
      for (const card of cards) {
        card.hidden = !(asked && words.every(word => textOf(card).includes(word)));
        if (!card.hidden) ++here;
      }
      section.hidden = here === 0 && (!asked || words.length > 0);
      shown += here;
    }
    const all = words.length === 0 && !outcome.value;
    count.value = all ? "" : `${shown.toLocaleString("en")} of ${cards.length.toLocaleString("en")} shown`;
  };
  let waiting = 0;
  find.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, cards.length > 500 ? 150 : 0);
  });
  find.addEventListener("keydown", event => {
    if (event.key !== "Escape") return;
    find.value = "";
    filter();
  });
  outcome.addEventListener("change", filter);
  tools.addEventListener("submit", event => event.preventDefault());
  const fold = open => {
    for (const card of cards) if (!card.hidden) card.open = open;
  };
  by("unfold").addEventListener("click", () => fold(true));
  by("fold").addEventListener("click", () => fold(false));
  // A count leads to its group, also if the filter hides it.
  for (const link of document.querySelectorAll("a.chip")) {
    link.addEventListener("click", () => {
      if (!document.querySelector(link.hash).hidden) return;
      find.value = outcome.value = "";
      filter();
    });
  }
  tools.hidden = false;
  filter();  // the browser may have kept what was typed
})();
)js";

}  // namespace modelseal::report
