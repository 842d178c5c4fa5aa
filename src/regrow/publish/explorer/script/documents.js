// Searching documents, and the way of one.
const MOST = 60;
const HEX = /^[0-9a-f]{4,32}$/;

function ranked(query, end) {
  const text = query.trim().toLowerCase();
  const fits = (found) => !end || found.end === end;
  if (!text) return documents.filter(fits);
  const score = new Map();
  const give = (number, value) => { if (value > (score.get(number) || 0)) score.set(number, value); };
  for (const found of documents) {
    if (found.id && HEX.test(text) && found.id.startsWith(text)) give(found.number, 5);
    else if (found.url.toLowerCase() === text) give(found.number, 5);
    else if (found.title.toLowerCase().includes(text)) give(found.number, 4);
    else if (found.url.toLowerCase().includes(text)) give(found.number, 3);
  }
  const asked = text.normalize("NFC").match(/[\p{L}]{3,24}/gu) || [];
  if (asked.length) {
    const common = asked.map(holding).filter((found) => found.size);
    if (common.length === asked.length) {
      const all = common.reduce((a, b) => new Set([...a].filter((number) => b.has(number))));
      for (const number of all) give(number, 2);
    }
  }
  return [...score].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([number]) => documents[number]).filter(fits);
}
function artifacts(query) {
  const text = query.trim().toLowerCase();
  if (!text) return [];
  const named = nodes.filter((node) => node.name.toLowerCase().includes(text)).map((node) => node.name);
  const hashed = /^[0-9a-f]{6,64}$/.test(text) ? data.records.filter((r) => r.sha256.startsWith(text) || r.key.startsWith(text) || r.files.some((f) => f[1].startsWith(text))).map((r) => r.name) : [];
  const exact = data.records.filter((record) => record.name.startsWith(text)).map((record) => record.name);
  return [...new Set([...hashed, ...named, ...exact])].slice(0, 12);
}
const routeOf = (found) => (found.id ? go("d", found.id) : go("n", found.number));
const SIGN = { kept: "✓", "held out": "◇", dropped: "✗", missing: "?", unknown: "?" };
const SIGN_OF_END = { trained: "✓", kept: "·", "held out": "◇", dropped: "✗", lost: "?" };

function showFound(query, end) {
  const found = end === "task" ? [] : ranked(query, end), asked = !end || end === "task" ? rankedTasks(query) : [], made = artifacts(query);
  const rows = asked.length ? Math.min(found.length, Math.max(MOST / 2, MOST - asked.length)) : MOST, rest = MOST - Math.min(found.length, rows);
  const many = [end === "task" ? null : plural(found.length, "document"), asked.length ? plural(asked.length, "task") : null, made.length ? plural(made.length, "artifact") : null].filter(Boolean).join(", ");
  put(
    heading(query ? "Found" : end === "task" ? "Tasks" : "Documents", many),
    made.length ? el("p", { class: "chips" }, made.map((name) => link(name))) : null,
    found.length ? el("ul", { class: "found" }, found.slice(0, rows).map((one) => el("li", {}, el("a", { href: routeOf(one), class: `end ${one.end.replace(" ", "-")}` },
      el("span", { class: "sign", "aria-hidden": "true" }, SIGN_OF_END[one.end]), el("span", {}, bdi(one.title || one.url, { class: "name" }), bdi(one.url, { class: "url" }), bdi(one.fate, { class: "fate" })))))) : null,
    found.length > rows ? sentence(`${plural(found.length - rows, "more document")}: narrow the search.`, "note") : null,
    asked.length ? el("ul", { class: "found" }, asked.slice(0, rest).map(taskRow)) : null,
    asked.length > rest ? sentence(`${plural(asked.length - rest, "more task")}: narrow the search.`, "note") : null,
    !found.length && !made.length && !asked.length ? [sentence("Nothing fits. Documents are found by the beginning of their id (4 digits or more), a part of url or title, or words of their text (all of them; the last may be the beginning of one); tasks by the beginning of their id or of that of an example or pair made of them, or words of the question.", "note"),
      data.documents.left_out || data.tasks.left_out || data.apart.length ? sentence(["What this page leaves out, ", command("regrow trace"), " finds."], "note") : null] : null,
  );
  say(many);
}

function showDocument(found) {
  const stops = found.stops, seen = found.seen;
  put(
    heading(found.title || found.url, found.end),
    el("p", { class: "url" }, bdi(found.url)),
    el("p", { class: `verdict ${found.end.replace(" ", "-")}` }, bdi(found.fate)),
    facts([["id", found.id ? hash(found.id) : "none: it gave no document"], ["source", found.source], ["licence", found.licence]]),
    part("Its way", el("ol", { class: "way" }, stops.map((stop) => el("li", { class: stop.outcome.replace(" ", "-") },
      el("span", { class: "sign", "aria-hidden": "true" }, SIGN[stop.outcome]),
      el("div", {}, el("p", {}, link(stop.step), ` ${stop.outcome}`, stop.facts.has("reason") ? [": ", bdi(told(stop.facts.get("reason")), { class: "reason" })] : null), known(stop)))))),
    part("What training saw of it", seen.map(exposure)),
    found.id ? part("Ask more", el("p", {}, command(`regrow trace ${found.id.slice(0, 12)}`))) : null,
  );
  const steps = new Set(stops.map((stop) => stop.step));
  for (const entry of seen) if (entry.count) steps.add(records.get(entry.checkpoint).step);
  if (stops.some((stop) => stop.step === "mix" && stop.outcome === "kept")) {
    steps.add("tokenizer"); // it was made from what the mix holds
    if (seen.some((entry) => entry.checkpoint.startsWith("pretrain"))) steps.add("pack");
  }
  const left = new Set(["midtrain_data", "longcontext_data"]); // a drop there leaves the other stages as they are
  const counted = stops.filter((stop) => stop.outcome !== "dropped" || !left.has(stop.step)), last = (counted.length ? counted : stops).at(-1);
  markWay(steps, last.outcome === "kept" ? null : last.step);
  const at = nodeOfStep.get(last.outcome === "kept" ? stops[0].step : last.step);
  if (at !== undefined) { current = at; bring(boxes[at]); }
}
function known(stop) {
  const rows = [...stop.facts].filter(([name]) => name !== "reason" && name !== "copies_dropped" && name !== "copies").map(([name, value]) => {
    const other = name === "detail" && byId.get(value);
    return [name.replaceAll("_", " "), other ? el("a", { href: routeOf(other) }, bdi(other.title || other.url)) : Number.isInteger(value) ? count(value) : told(value)];
  });
  const copies = (stop.facts.get("copies_dropped") || []).map((id) => byId.get(id)).filter(Boolean);
  if (stop.facts.has("copies")) {
    rows.push(["copies dropped", el("span", {}, `${count(stop.facts.get("copies"))} `, copies.map((copy) => el("a", { href: routeOf(copy), class: "listed" }, bdi(copy.url))))]);
  }
  return facts(rows);
}
function exposure(entry) {
  const record = records.get(entry.checkpoint), end = record.trained[1];
  if (!entry.count) return sentence([link(entry.checkpoint), ": packed, but no step up to here took it."], "note");
  const first = entry.steps[0];
  const after = checkpoints.filter((other) => other.step === record.step && other.trained[1] >= first);
  return el("div", { class: "exposure" },
    el("p", {}, el("b", {}, link(record.step === record.name ? record.name : entry.checkpoint, record.step)), ` ${plural(entry.count, "step")} of ${count(end)}, ${plural(entry.tokens, "token")}`),
    draw("svg", { class: "ticks", viewBox: "0 0 400 16", preserveAspectRatio: "none", role: "img", "aria-label": `steps ${first} to ${entry.steps[entry.steps.length - 1]} of ${end}` },
      draw("line", { class: "grid", x1: 0, x2: 400, y1: 15, y2: 15 }),
      entry.steps.map((step) => draw("rect", { x: ((400 * (step - 1)) / end).toFixed(1), y: 1, width: Math.max(1.5, 400 / end).toFixed(1), height: 13 }))),
    more("which steps", el("p", { class: "steps" }, runs(entry.steps))),
    el("p", { class: "chips" }, "checkpoints that have seen it: ", after.map((other) => link(other.name, other.instance))));
}
// 1, 2, 3, 7 -> 1–3, 7
function runs(steps) {
  const found = [];
  for (let i = 0; i < steps.length;) {
    let j = i;
    while (j + 1 < steps.length && steps[j + 1] === steps[j] + 1) j += 1;
    found.push(j > i ? `${steps[i]}–${steps[j]}` : `${steps[i]}`);
    i = j + 1;
  }
  return found.join(", ");
}
