// The graph: folding, zoom, and the walk along the edges.
const sizes = data.graph.sizes;
const unfolded = new Set();
const boxes = nodes.map((_, place) => $(`n${place}`));
const ups = nodes.map(() => []), downs = nodes.map(() => []);
for (const [from, to] of data.graph.ways) { downs[from].push(to); ups[to].push(from); }
const whole = { ups: nodes.map(() => []), downs: nodes.map(() => []) };
for (const [from, to] of data.graph.edges) { whole.downs[from].push(to); whole.ups[to].push(from); }
let scale = 1;
let current = 0;
const came = new Map();

const heights = () => nodes.map((node, place) => sizes.height + (unfolded.has(place) ? node.records.length * sizes.row + 6 : 0));
function tops(tall) {
  const layers = Math.max(...nodes.map((node) => node.layer)) + 1;
  const found = [0];
  for (let layer = 0; layer < layers; layer++) {
    found.push(found[layer] + sizes.gap + Math.max(...nodes.map((node, place) => (node.layer === layer ? tall[place] : 0))));
  }
  return found;
}
// As `draw.path` in Python.
function path(way, layer, top, tall) {
  let here = top[layer] + tall;
  let d = `M${way[0]} ${here}`;
  way.slice(1).forEach((x, number) => {
    const last = way[number], head = top[layer + number + 1], foot = head - sizes.gap, middle = (foot + head) / 2;
    if (foot > here) d += `V${foot}`;
    d += x === last ? `V${head}` : `C${last} ${middle} ${x} ${middle} ${x} ${head}`;
    here = head;
  });
  return d;
}
function redraw() {
  const tall = heights(), top = tops(tall);
  nodes.forEach((node, place) => {
    boxes[place].setAttribute("transform", `translate(${node.x} ${top[node.layer]})`);
    boxes[place].querySelector(".box").setAttribute("height", tall[place]);
    boxes[place].classList.toggle("open", unfolded.has(place));
    if (boxes[place].querySelector(".fold")) boxes[place].setAttribute("aria-expanded", unfolded.has(place));
  });
  data.graph.ways.forEach(([from, to, way], number) => {
    $(`e${number}`).setAttribute("d", path(way, nodes[from].layer, top, tall[from]));
  });
  const svg = $("graph"), box = svg.viewBox.baseVal;
  box.height = top[top.length - 1] + 2 * sizes.pad;
  zoom(scale);
  if (shownNode !== null) aside(shownNode);
}
function zoom(wanted) {
  const svg = $("graph"), view = $("view"), box = svg.viewBox.baseVal;
  const middle = [(view.scrollLeft + view.clientWidth / 2) / scale, (view.scrollTop + view.clientHeight / 2) / scale];
  const moved = wanted !== scale;
  scale = Math.min(2.5, Math.max(0.25, wanted));
  svg.setAttribute("width", Math.round(box.width * scale));
  svg.setAttribute("height", Math.round(box.height * scale));
  if (moved) view.scrollTo(middle[0] * scale - view.clientWidth / 2, middle[1] * scale - view.clientHeight / 2);
}
function fit(whole) {
  const view = $("view"), box = $("graph").viewBox.baseVal;
  const wide = (view.clientWidth - 4) / box.width;
  zoom(whole ? Math.min(wide, (view.clientHeight - 4) / box.height) : Math.max(0.7, Math.min(1, wide)));
}
function fold(place, open) {
  if (!boxes[place].querySelector(".fold")) return;
  if (open === undefined ? unfolded.has(place) : !open) unfolded.delete(place); else unfolded.add(place);
  redraw();
}
function foldAll() {
  const open = unfolded.size === 0;
  nodes.forEach((node, place) => { if (boxes[place].querySelector(".fold")) { if (open) unfolded.add(place); else unfolded.delete(place); } });
  redraw();
  $("unfold").textContent = open ? "Fold" : "Unfold";
}

// What is shown: the node, what it was made from, what was made from it.
let shownNode = null;
function closure(place, next) {
  const found = new Set();
  const queue = [...next[place]];
  while (queue.length) {
    const at = queue.pop();
    if (!found.has(at)) { found.add(at); queue.push(...next[at]); }
  }
  return found;
}
function mark(place, name) {
  shownNode = place;
  const above = place === null ? new Set() : closure(place, whole.ups), below = place === null ? new Set() : closure(place, whole.downs);
  boxes.forEach((box, at) => {
    box.classList.toggle("selected", at === place);
    box.classList.toggle("above", above.has(at));
    box.classList.toggle("below", below.has(at));
    box.classList.toggle("far", place !== null && at !== place && !above.has(at) && !below.has(at));
    box.classList.remove("way", "stop");
    if (at === place) box.setAttribute("aria-current", "true"); else box.removeAttribute("aria-current");
    for (const row of box.querySelectorAll(".row")) row.classList.toggle("selected", row.dataset.record === name);
  });
  data.graph.ways.forEach(([from, to], number) => {
    const edge = $(`e${number}`);
    const up = (above.has(from) || from === place) && (above.has(to) || to === place);
    const down = (below.has(from) || from === place) && (below.has(to) || to === place);
    edge.classList.toggle("lit", up || down);
    edge.classList.toggle("far", place !== null && !up && !down);
  });
  aside(place);
}
// Inputs that a longer way says already are drawn for the shown node only.
function aside(place) {
  $("more-edges").replaceChildren();
  if (place === null) return;
  const tall = heights(), top = tops(tall);
  const direct = new Set(data.graph.ways.map(([from, to]) => `${from} ${to}`));
  for (const [from, to] of data.graph.edges) {
    if ((from !== place && to !== place) || direct.has(`${from} ${to}`)) continue;
    const a = nodes[from], b = nodes[to];
    const x1 = a.x + sizes.width / 2, y1 = top[a.layer] + tall[from], x2 = b.x + sizes.width / 2, y2 = top[b.layer];
    $("more-edges").append(draw("path", { class: "edge extra", d: `M${x1} ${y1}C${x1} ${y1 + 60} ${x2} ${y2 - 60} ${x2} ${y2}` }));
  }
}
// The way of a document: step -> "way" or "stop".
function markWay(steps, end) {
  mark(null);
  boxes.forEach((box, place) => {
    box.classList.toggle("way", steps.has(nodes[place].step));
    box.classList.toggle("stop", nodes[place].step === end);
    box.classList.toggle("far", !steps.has(nodes[place].step));
  });
  data.graph.ways.forEach(([from, to], number) => {
    const on = steps.has(nodes[from].step) && steps.has(nodes[to].step);
    $(`e${number}`).classList.toggle("lit", on);
    $(`e${number}`).classList.toggle("far", !on);
  });
}

function bring(box) {
  const view = $("view"), at = box.getBoundingClientRect(), frame = view.getBoundingClientRect(), room = 28;
  const dx = at.left < frame.left + room ? at.left - frame.left - room : Math.max(0, at.right - frame.right + room);
  const dy = at.top < frame.top + room ? at.top - frame.top - room : Math.max(0, at.bottom - frame.bottom + room);
  if (dx || dy) view.scrollBy({ left: dx, top: dy, behavior: calm() ? "auto" : "smooth" });
}
function focusBox(box) {
  for (const other of document.querySelectorAll("#graph [tabindex='0']")) other.setAttribute("tabindex", "-1");
  box.setAttribute("tabindex", "0");
  box.focus({ preventScroll: true });
  bring(box);
}
function stand(place) {
  current = place;
  focusBox(boxes[place]);
}
const rowsOf = (place) => (unfolded.has(place) ? [...boxes[place].querySelectorAll(".row")] : []);
const nearest = (from, places) => [...places].sort((a, b) => Math.abs(nodes[a].x - nodes[from].x) - Math.abs(nodes[b].x - nodes[from].x) || a - b)[0];

// One step of the walk; returns the name that is then shown.
function walk(key) {
  const on = document.activeElement, row = on && on.classList.contains("row") ? on : null;
  const rows = rowsOf(current), at = row ? rows.indexOf(row) : -1;
  if (key === "ArrowDown" && at + 1 < rows.length) { focusBox(rows[at + 1]); return rows[at + 1].dataset.record; }
  if (key === "ArrowUp" && row) {
    if (at > 0) { focusBox(rows[at - 1]); return rows[at - 1].dataset.record; }
    stand(current);
    return nodes[current].name;
  }
  let next;
  if (key === "ArrowDown" || key === "ArrowUp") {
    const choice = key === "ArrowDown" ? downs[current] : ups[current];
    const back = came.get(`${key} ${current}`);
    next = choice.includes(back) ? back : nearest(current, choice);
    if (next !== undefined) came.set(`${key === "ArrowDown" ? "ArrowUp" : "ArrowDown"} ${next}`, current);
  } else {
    const layer = nodes.map((_, place) => place).filter((place) => nodes[place].layer === nodes[current].layer).sort((a, b) => nodes[a].x - nodes[b].x);
    next = layer[layer.indexOf(current) + (key === "ArrowRight" ? 1 : -1)];
  }
  if (next === undefined) {
    say({ ArrowDown: "Nothing was made from this.", ArrowUp: "This was made from nothing else.", ArrowLeft: "Nothing to the left.", ArrowRight: "Nothing to the right." }[key]);
    return null;
  }
  stand(next);
  return nodes[next].name;
}
