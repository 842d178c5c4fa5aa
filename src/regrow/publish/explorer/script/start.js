// Routes, keys, and the first picture. The part after # says what is shown, so that it can be linked.
function route() {
  const [what, ...rest] = location.hash.slice(1).split("=");
  let name = rest.join("=");
  try { name = decodeURIComponent(name); } catch { name = ""; }
  document.body.classList.toggle("comparing", what === "c");
  document.body.classList.toggle("finding", what === "q"); // on a narrow screen, what was found comes first
  if (what === "a" && (records.has(name) || nodeOf.has(name))) return showNamed(name);
  if (what === "d" && byId.has(name)) return showDocument(byId.get(name));
  if (what === "t" && taskById.has(name)) return showTask(taskById.get(name));
  if (what === "n" && documents[Number(name)]) return showDocument(documents[Number(name)]);
  if (what === "q") {
    if ($("find").value.trim() !== name) $("find").value = name;
    mark(null);
    return showFound(name, $("end").value);
  }
  if (what === "c") {
    const [left, right] = name.split(",");
    const made = (one) => records.has(one) && records.get(one).checkpoint;
    if (made(left) && made(right)) return showCompare(left, right);
  }
  mark(null);
  return showOverview();
}
function showNamed(name) {
  const place = placeOf(name);
  if (place !== undefined) {
    current = place;
    mark(place, name);
    const row = rowsOf(place).find((one) => one.dataset.record === name);
    bring(row || boxes[place]);
  }
  if (records.has(name)) return showRecord(name);
  const node = nodes[place];
  return node.records.length ? showRecord(node.records[node.records.length - 1]) : showSource(node.name);
}
// While walking, the address follows without a new entry in the history.
function follow(hash) {
  history.replaceState(null, "", hash);
  route();
}
const narrow = () => matchMedia("(max-width: 60rem)").matches;
function open(name) {
  location.hash = go("a", name);
  if (narrow()) $("panel").scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "start" });
}
function toPanel() {
  const title = $("title");
  if (title) title.focus();
}

function onGraphKey(event) {
  const on = document.activeElement;
  if (event.key.startsWith("Arrow")) {
    const name = walk(event.key);
    if (name) follow(go("a", name));
  } else if (event.key === "Enter") {
    follow(go("a", on.dataset.record || nodes[current].name));
    toPanel();
  } else if (event.key === " " || event.key === "f") fold(current);
  else if (event.key === "Home") { stand(order[0]); follow(go("a", nodes[order[0]].name)); }
  else if (event.key === "End") { stand(order[order.length - 1]); follow(go("a", nodes[order[order.length - 1]].name)); }
  else return;
  event.preventDefault();
}
const order = nodes.map((_, place) => place).sort((a, b) => nodes[a].layer - nodes[b].layer || nodes[a].x - nodes[b].x);

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "Escape") {
    if ($("keys").open) return;
    if (typing && $("find").value) { $("find").value = ""; find(); } else stand(current);
    event.preventDefault();
  } else if (typing) return;
  else if (event.key === "/") { $("find").focus(); $("find").select(); event.preventDefault(); }
  else if (event.key === "?") { $("keys").showModal(); event.preventDefault(); }
  else if (event.key === "+" || event.key === "=") zoom(scale * 1.2);
  else if (event.key === "-") zoom(scale / 1.2);
  else if (event.key === "0") fit(false);
  else if (event.key === "c") compare();
}
function compare() {
  const shown = records.get(nodes[current].records[nodes[current].records.length - 1]);
  const right = shown && shown.checkpoint ? shown : checkpoints[checkpoints.length - 1];
  if (!right) return say("There is no checkpoint to compare.");
  const before = [...ancestry(right.name)].map((name) => records.get(name)).filter((one) => one.checkpoint && one !== right && one.step !== right.step);
  const ranks = new Map(data.records.map((record, rank) => [record, rank]));
  const left = before.sort((a, b) => ranks.get(b) - ranks.get(a))[0] || right;
  location.hash = go("c", `${left.name},${right.name}`);
}
function find() {
  const text = $("find").value.trim();
  follow(text || $("end").value ? go("q", text) : location.pathname);
}
// Arrow keys in the list of what was found.
function onPanelKey(event) {
  const all = [...document.querySelectorAll("#panel .found a")], at = all.indexOf(document.activeElement);
  if (at < 0 || !event.key.startsWith("Arrow")) return;
  const next = event.key === "ArrowDown" ? all[at + 1] : event.key === "ArrowUp" ? all[at - 1] || $("find") : null;
  if (next) { next.focus(); event.preventDefault(); }
}
function drag(view) {
  let from = null;
  view.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0 || event.target.closest(".node")) return;
    from = [event.clientX + view.scrollLeft, event.clientY + view.scrollTop];
    view.setPointerCapture(event.pointerId);
    view.classList.add("dragged");
  });
  view.addEventListener("pointermove", (event) => { if (from) view.scrollTo(from[0] - event.clientX, from[1] - event.clientY); });
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => { from = null; view.classList.remove("dragged"); });
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    zoom(scale * (event.deltaY < 0 ? 1.12 : 1 / 1.12));
    event.preventDefault();
  }, { passive: false });
}

$("graph").addEventListener("keydown", onGraphKey);
$("graph").addEventListener("click", (event) => {
  const fold_ = event.target.closest(".fold"), row = event.target.closest(".row"), box = event.target.closest(".node");
  if (fold_) { current = Number(fold_.dataset.fold); fold(current); stand(current); return; }
  if (!box) return;
  current = Number(box.dataset.node);
  focusBox(row || box);
  open(row ? row.dataset.record : nodes[current].name);
});
document.addEventListener("keydown", onKey);
$("panel").addEventListener("keydown", onPanelKey);
$("find").addEventListener("input", find);
$("find").addEventListener("keydown", (event) => {
  const first = document.querySelector("#panel .found a, #panel .chips a");
  if (first && (event.key === "ArrowDown" || event.key === "Enter")) {
    if (event.key === "Enter") first.click();
    first.focus();
    event.preventDefault();
  }
});
$("search").addEventListener("submit", (event) => event.preventDefault());
$("end").addEventListener("change", find);
$("wider").addEventListener("click", () => zoom(scale * 1.2));
$("smaller").addEventListener("click", () => zoom(scale / 1.2));
$("all").addEventListener("click", () => fit(true));
$("unfold").addEventListener("click", foldAll);
$("compare").addEventListener("click", compare);
$("home").addEventListener("click", () => { $("find").value = ""; $("end").value = ""; follow(location.pathname); });
$("help").addEventListener("click", () => $("keys").showModal());
$("back").addEventListener("click", () => { $("view").scrollIntoView({ behavior: calm() ? "auto" : "smooth" }); stand(current); });
addEventListener("hashchange", () => {
  route();
  if (document.activeElement !== document.body) return;
  toPanel(); // the link that was followed is gone with the panel that held it
  if (narrow()) $("panel").scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "start" });
});
drag($("view"));
boxes[current].setAttribute("tabindex", "-1");
current = placeOf(data.artifact.name) === undefined ? 0 : placeOf(data.artifact.name);
boxes[current].setAttribute("tabindex", "0");
redraw();
fit(false);
route();
document.body.classList.add("ready");
