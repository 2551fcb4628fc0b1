#include "memory_page.hpp"

namespace service {

const std::string_view memory_page = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Memory of the service</title>
<link rel="icon" href="data:,">
<style>
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #fff; --line: #dfe3e8; --text: #1b2430; --soft: #5b6675;
  --track: #e8ebf0; --peak: #a9cbff; --used: #1f6feb; --high: #d97706; --full: #d1242f; --good: #1a7f37;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10151c; --card: #18202a; --line: #2b3644; --text: #e6ebf2; --soft: #9aa7b6;
    --track: #26303c; --peak: #2f4f80; --used: #4c9aff; --high: #e8a33d; --full: #ff6b6b; --good: #4ac26b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 20px 16px 40px; max-width: 900px; background: var(--ground); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; margin-bottom: 14px; }
h1 { font-size: 22px; margin: 0; }
h2 { font-size: 15px; margin: 26px 0 4px; }
p { margin: 0 0 8px; color: var(--soft); font-size: 13.5px; }
#state { font-size: 13px; font-weight: 600; color: var(--good); }
#state.bad { color: var(--full); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(125px, 1fr)); gap: 10px; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tile { padding: 8px 12px; }
.tile b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 12.5px; }
.card { padding: 9px 14px 11px; margin-top: 8px; }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; }
.name { font-weight: 650; }
.class { color: var(--soft); font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
.of { margin-left: auto; font-variant-numeric: tabular-nums; }
.bar { position: relative; height: 12px; margin: 6px 0 4px; border-radius: 6px; background: var(--track); overflow: hidden; }
.bar i { position: absolute; inset: 0 auto 0 0; border-radius: 6px 0 0 6px; }
.bar .was { background: var(--peak); }
.bar .is { background: var(--used); transition: width .3s; }
.bar .is.high { background: var(--high); }
.bar .is.full { background: var(--full); }
.notes { display: flex; flex-wrap: wrap; gap: 0 16px; color: var(--soft); font-size: 12.5px; font-variant-numeric: tabular-nums; }
.notes .no { color: var(--full); font-weight: 600; }
.down { margin: 2px 0 -6px 22px; color: var(--soft); line-height: 1; }
.branches { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 0 10px; }
.key { display: inline-block; width: 12px; height: 10px; border-radius: 3px; }
</style>
</head>
<body>
<header><h1>Memory of the service</h1><span id="state">waiting for figures</span><span id="up" class="class"></span></header>
<div class="tiles" id="tiles"></div>

<h2>A request takes its memory from top to bottom</h2>
<p>Each level says no for itself: a request that alone is too much gets 413, one of a busy tenant 429, one of a busy process 503.
<span class="key" style="background:var(--used)"></span> in use now,
<span class="key" style="background:var(--peak)"></span> the most there ever was.</p>
<div id="request"></div>

<div class="down">&darr;</div>
<h2>Tenants</h2>
<p>A budget for each name in the list; all other names share the last one.</p>
<div id="tenants" class="branches"></div>

<div class="down">&darr;</div>
<h2>The whole process</h2>
<p>One budget for all, a counter, and the static memory that the blocks come from.</p>
<div id="process"></div>

<h2>Apart from it</h2>
<p>This page and /metrics have blocks of their own, so that they answer when the budgets are used up.</p>
<div id="pages"></div>

<script>
"use strict";
const $ = id => document.getElementById(id);

function size(n) {
  if (n === null || n === undefined) return "unlimited";
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let i = 0;
  while (n >= 1024 && i < 3) { n /= 1024; ++i; }
  return (i === 0 || Number.isInteger(n) ? n : n.toFixed(n < 10 ? 2 : 1)) + " " + units[i];
}
const count = n => n.toLocaleString("en");

function make(tag, kind, text) {
  const e = document.createElement(tag);
  if (kind) e.className = kind;
  if (text !== undefined) e.textContent = text;
  return e;
}

// A level: its name, how much of how much, a bar with the peak behind, and what else there is to say.
function card(name, layer, limit, notes) {
  const box = make("div", "card");
  const top = make("div", "top");
  top.append(make("span", "name", name), make("span", "class", layer.class || "limit_adaptor"));
  box.append(top);
  if (limit !== undefined) {
    const used = layer.used_bytes || 0, share = n => limit ? Math.min(100, 100 * n / limit) : 0;
    const of = make("span", "of");
    of.append(make("span", "", size(used)), " of ", make("span", "", size(limit)));
    top.append(of);
    const bar = make("div", "bar"), was = make("i", "was"), is = make("i", "is");
    if (layer.peak_bytes) was.style.width = `max(3px, ${share(layer.peak_bytes)}%)`;
    if (used) is.style.width = `max(3px, ${share(used)}%)`;
    if (share(used) >= 70) is.classList.add("high");
    if (share(used) >= 95) is.classList.add("full");
    bar.append(was, is);
    box.append(bar);
  }
  const line = make("div", "notes");
  if (layer.peak_bytes !== undefined && limit !== undefined) notes = [["peak " + size(layer.peak_bytes)], ...notes];
  if (layer.refusals !== undefined) notes = [...notes, [count(layer.refusals) + " refused", layer.refusals > 0 ? "no" : ""]];
  for (const [text, kind] of notes) line.append(make("span", kind || "", text));
  if (notes.length) box.append(line);
  return box;
}

function layerCards(layer, into) {
  for (; layer; layer = layer.upstream) {
    if (layer.branches) {
      into.append(card(layer.name, layer, undefined, [["an arena of 64 KiB first; where it is too small, a run of them"]]));
      const row = make("div", "branches");
      for (const branch of layer.branches) row.append(card(branch.name, branch, branch.capacity_bytes, []));
      into.append(row);
    } else if (layer.limit_bytes !== undefined) {
      into.append(card(layer.name, layer, layer.limit_bytes, []));
    } else {
      into.append(card(layer.name + ", counted", layer, undefined, [
        [size(layer.used_bytes) + " live in " + count(layer.used_blocks) + " blocks"],
        [count(layer.allocations) + " blocks given out"], [size(layer.allocated_bytes) + " in all"],
        ["largest " + size(layer.largest_block_bytes)]]));
    }
  }
}

function duration(ms) {
  const seconds = Math.floor(ms / 1000), pad = n => String(n).padStart(2, "0");
  return Math.floor(seconds / 3600) + ":" + pad(Math.floor(seconds / 60) % 60) + ":" + pad(seconds % 60);
}

let last = null;
function tiles(service) {
  const answers = Object.entries(service.answers);
  const sum = digit => answers.reduce((n, [code, times]) => n + (code[0] === digit ? times : 0), 0);
  const all = sum("2") + sum("4") + sum("5"), now = service.uptime_ms;
  const rate = last && now > last.now ? Math.round(1000 * (all - last.all) / (now - last.now)) : 0;
  last = {all, now};
  return [[count(rate), "requests a second"], [count(service.in_flight), "in flight, and one is ours"],
          [count(sum("2")), "answered 2xx"], [count(sum("4")), "refused 4xx"], [count(sum("5")), "refused 5xx"],
          [count(service.connections), "connections of " + count(service.max_connections)]];
}

function show(data) {
  $("tiles").replaceChildren(...tiles(data.service).map(([value, what]) => {
    const tile = make("div", "tile");
    tile.append(make("b", "", value), make("span", "", what));
    return tile;
  }));
  const of = part => data.memory.filter(source => source.labels.part === part);
  $("request").replaceChildren(card("request", {}, undefined,
    [["an arena of its own, of at most " + size(data.service.request_limit_bytes)], ["first block 64 KiB, then doubling"]]));
  $("tenants").replaceChildren(...of("tenant").map(t => card(t.labels.tenant, t, t.limit_bytes, [])));
  const process = document.createDocumentFragment();
  layerCards(of("process")[0], process);
  $("process").replaceChildren(process);
  $("pages").replaceChildren(...of("pages").map(p => card(p.name, p, p.capacity_bytes, [])));
  $("state").textContent = data.service.draining ? "draining" : data.service.memory === "new"
    ? "live: requests use plain new, and no budget" : "live";
  $("up").textContent = "up " + duration(data.service.uptime_ms) + ", " + count(data.service.threads) + " threads";
  $("state").className = data.service.draining ? "bad" : "";
}

async function poll() {
  try {
    const answer = await fetch("/memory.json", {cache: "no-store"});
    if (!answer.ok) throw new Error(answer.status);
    show(await answer.json());
  } catch (error) {
    $("state").textContent = "no answer from the service: these are its last figures";
    $("state").className = "bad";
  }
  setTimeout(poll, 500);
}
poll();
</script>
</body>
</html>
)html";

} // namespace service
