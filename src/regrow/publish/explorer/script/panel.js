// The panel about one node: a record, a step, a source, or the overview.
function put(...children) {
  $("panel").replaceChildren(...children.flat(9).filter(Boolean));
  $("panel").scrollTop = 0;
}
const go = (route, name) => `#${route}=${encodeURIComponent(name)}`;
const link = (name, text) => (records.has(name) || nodeOf.has(name) ? el("a", { href: go("a", name) }, bdi(text || name)) : bdi(text || name));
const heading = (text, tag) => el("h2", { tabindex: -1, id: "title" }, bdi(text), tag ? el("span", { class: "tag" }, tag) : null);
const part = (title, ...children) => (children.flat(9).some(Boolean) ? el("section", {}, el("h3", {}, title), children) : null);
const sentence = (text, css) => el("p", { class: css }, text);
const command = (text) => el("code", { class: "command" }, text);

function showRecord(name) {
  const record = records.get(name);
  const stage = data.stages[record.step];
  const place = placeOf(name);
  put(
    heading(record.name, record.checkpoint ? "checkpoint" : ""),
    stage ? sentence(`${stage.title}. ${stage.what} Learned from: ${stage.reads}`, "lead") : null,
    record.problems.map((text) => sentence(text, "warn")),
    instances(record, place),
    facts([
      ["output", hash(record.sha256)],
      ["path", record.path],
      ["size", `${bytes(record.size)}, ${plural(record.files.length + record.more_files, "file")}`],
      ["key", hash(record.key)],
    ]),
    files(record),
    part("Documents", kept(record)),
    record.documents ? null : part("Counts", counts(record)),
    part("Training", charts(record.step)),
    part("Measured on held-out data", measured(record)),
    part("What the key is made of", keyParts(record)),
    part("Made from", inputs(record)),
    part("Read by", readBy(record)),
    record.checkpoint && checkpoints.length > 1 ? part("Compare", compareWith(record)) : null,
    part("Ask more", el("p", {}, command(`regrow audit ${record.name}`), command(`regrow rebuild ${record.name}`),
      record.checkpoint && record.inputs.some((input) => input[0] === "data") ? command(`regrow batch ${record.name}`) : null)),
  );
}
function instances(record, place) {
  const node = nodes[place];
  const list = node && node.records.length > 1 ? node.records : [];
  const about = [["evaluation", record.evaluation], ["release", record.release]].filter((row) => row[1]);
  if (!list.length && !about.length) return null;
  return el("p", { class: "chips" },
    list.map((name) => el("a", { href: go("a", name), "aria-current": name === record.name ? "true" : null }, bdi(records.get(name).instance || name))),
    about.map(([what, name]) => el("a", { href: go("a", name), class: "about" }, what)));
}
function files(record) {
  if (!record.files.length) return null;
  return more(plural(record.files.length + record.more_files, "file"),
    table(["file", "SHA-256", "size"], record.files.map(([path, sha, size]) => [path, hash(sha, 12), bytes(size)])),
    record.more_files ? sentence(`${count(record.more_files)} more are in the record.`, "note") : null);
}
function keyParts(record) {
  const code = data.code[record.code], params = flat(data.params[record.params]), packages = Object.entries(data.packages[record.packages]);
  const native = Object.entries(code.native);
  return [
    more(["code ", code.digest ? hash(code.digest, 12) : "none"],
      code.function ? sentence(["function ", el("code", {}, code.function)]) : null,
      table(["module", "digest"], [...code.modules.map((n) => [data.modules[n][0], el("code", {}, data.modules[n][1])]), ...native.map(([path, digest]) => [path, el("code", {}, digest)])])),
    params.length ? more(`${plural(params.length, "parameter")}`, table(["parameter", "value"], params.map(([name, value]) => [name, told(value)]))) : sentence("no parameters", "note"),
    more(`${plural(packages.length, "package")}`, table(["package", "version"], packages.map(([name, version]) => [name, told(version)]))),
    facts([["arithmetic", record.numerics], ["instance", record.instance], ...flat(record.options).map(([name, value]) => [name, told(value)])]),
  ];
}
function inputs(record) {
  if (!record.inputs.length) return null;
  return table(["input", "made by", "SHA-256"], record.inputs.map(([name, kind, path, sha, made]) => [
    name, made ? link(made) : link(path), el("span", {}, sha ? hash(sha, 12) : "", kind === "record" ? " (its record)" : "")]));
}
function readBy(record) {
  const names = readers.get(record.name) || [];
  const about = names.filter((name) => !records.get(name).checkpoint && records.get(name).trained);
  const others = names.filter((name) => !about.includes(name));
  const chips = (list) => el("p", { class: "chips" }, list.map((name) => link(name)));
  return [others.length ? chips(others) : null, about.length > 4 ? more(`${count(about.length)} evaluations and releases`, chips(about)) : about.length ? chips(about) : null];
}
function kept(record) {
  const found = record.documents;
  if (!found) return null;
  const dropped = Object.entries(found.dropped);
  const top = Math.max(found.in || 0, found.kept || 0, ...dropped.map((row) => row[1]), 1);
  return [
    bars([["read", found.in || 0, "before"], ["kept", found.kept || 0, "kept"]].filter((row) => row[1]), top),
    dropped.length ? el("h4", {}, "dropped, by reason") : null,
    bars(dropped.map(([reason, many]) => [reason, many, reason === "held_out" ? "held" : "lost"]), Math.max(...dropped.map((row) => row[1]), 1)),
  ];
}
function counts(record) {
  const rows = flat(record.counts);
  return rows.length ? table(["count", "value"], rows.map(([name, value]) => [name, typeof value === "number" ? (Number.isInteger(value) ? count(value) : told(value)) : told(value)])) : null;
}
function charts(step) {
  const found = $(`curves-${step}`);
  return found ? [...found.content.children].map((figure) => figure.cloneNode(true)) : null;
}
// A figure's interval as a picture: 0 .. 1 for shares, else the range over all checkpoints.
function range(probe) {
  if (data.figures.probes[probe].rate) return [0, 1];
  const values = Object.values(data.figures.values).map((row) => row[probe]).filter(Boolean).flatMap((row) => row.slice(0, 3));
  return [Math.min(...values), Math.max(...values)];
}
function interval(probe, rows) {
  const [low, high] = range(probe);
  const x = (value) => (4 + (112 * (value - low)) / (high - low || 1)).toFixed(1);
  return draw("svg", { class: "interval", viewBox: `0 0 120 ${12 * rows.length}`, width: 120, height: 12 * rows.length, "aria-hidden": "true" },
    draw("line", { class: "grid", x1: 4, x2: 116, y1: 6 * rows.length, y2: 6 * rows.length }),
    rows.map(([value, css], n) => value && draw("g", { class: css },
      draw("line", { class: "whisker", x1: x(value[1]), x2: x(value[2]), y1: 12 * n + 6, y2: 12 * n + 6 }),
      draw("circle", { class: "point", cx: x(value[0]), cy: 12 * n + 6, r: 3.5 }))));
}
const ARROW = { higher: "↑", lower: "↓", neither: "" };
function probeName(probe) {
  const about = data.figures.probes[probe];
  return el("span", {}, bdi(about.title), about.better === "neither" ? null : el("span", { class: "better", title: `${about.better} is better` }, ` ${ARROW[about.better] || ""}`));
}
const interv = (value) => (value ? el("span", { class: "value" }, figure(value[0]), el("small", {}, ` ${figure(value[1])} to ${figure(value[2])}`)) : "–");
function measured(record) {
  const name = record.checkpoint ? record.name : (record.inputs.find((input) => input[0] === "checkpoint") || [])[4];
  const values = data.figures.values[name];
  if (!values) return null;
  return [table(["", "", "95 % interval"], Object.entries(values).map(([probe, value]) => [probeName(probe), interval(probe, [[value, "now"]]), interv(value)]), "figures"),
    sentence("↑ higher is better, ↓ lower. Shares are drawn from 0 to 1, others over the range of all checkpoints.", "note")];
}
function compareWith(record) {
  const select = el("select", { "aria-label": "checkpoint to compare with" }, checkpoints.filter((other) => other !== record).map((other) => el("option", { value: other.name }, other.name)));
  const parents = record.inputs.map((input) => input[4]).filter((name) => name && records.get(name) && records.get(name).checkpoint);
  if (parents.length) select.value = parents[parents.length - 1];
  return el("p", { class: "row" }, select, button("Compare", () => { location.hash = go("c", `${select.value},${record.name}`); }));
}

function showSource(path) {
  const inside = data.source_files.filter((file) => file.path.startsWith(`${path}/`));
  const whole = path === "sources" || path === "sources/manifest.yaml";
  // The parts of a source (`dumps#003of016`) are one box.
  const here = (input) => input[1] === "source" && input[2].replace(/#\d{3,}of\d{3,}$/, "") === path;
  const used = data.records.filter((record) => record.inputs.some(here));
  const digests = [...new Set(used.flatMap((record) => record.inputs.filter(here).map((input) => input[3])))];
  const named = data.sources.filter((source) => whole ? !source.kind : source.files.includes(path));
  put(
    heading(path, "source, in git"),
    facts([...digests.map((digest) => ["content", hash(digest)])]),
    part("Read by", el("p", { class: "chips" }, used.map((record) => link(record.name)))),
    named.length ? part("Sources and licences", table(["source", "licence", "origin"], named.map((source) => [
      source.title || source.name, source.licence, `${source.origin} ${source.version}`.trim()]))) : null,
    inside.length ? part("Files", table(["file", "SHA-256", "size"], inside.map((file) => [file.path, file.sha256 ? hash(file.sha256, 12) : "not on disk", file.size === null ? "" : bytes(file.size)]))) : null,
  );
}
function showOverview() {
  const found = data.documents.counts;
  const css = { trained: "kept", kept: "before", "held out": "held", dropped: "lost", lost: "lost" };
  const said = { trained: "seen by training", kept: "kept, in no step", "held out": "held out for evaluation", dropped: "dropped", lost: "lost from sight" };
  const wordsOut = data.documents.words.common + data.documents.words.rare;
  put(
    heading("From the sources to the checkpoint"),
    sentence("Each box is a step, or a stage of training with its checkpoints. What it wrote has a hash that depends on its inputs, parameters, code and packages, and on nothing else. Choose a box to see them, or search a document to see its way.", "lead"),
    sentence(["The page is about ", link(data.artifact.name), "."]),
    data.missing ? sentence(data.missing, data.missing.startsWith("not on disk") ? "warn" : "lead") : null,
    part("Documents", bars(Object.entries(found.ends).map(([end, many]) => [said[end], many, css[end]])),
      found.dropped.length ? more("dropped, by step and reason", bars(found.dropped.map(([step, reason, many]) => [`${step}: ${reason}`, many, "lost"]))) : null),
    tasks.length ? part("Tasks", sentence([`${count(data.tasks.counts.tasks)} tasks, ${count(data.tasks.counts["examples and pairs"])} examples and pairs in runs, ${count(data.tasks.counts.answers)} rewarded answers. `, el("a", { href: "#q=", onclick: () => { $("end").value = "task"; } }, "List them"), "."])) : null,
    part("Checkpoints", el("p", { class: "chips" }, nodes.filter((node) => node.kind === "training").map((node) => link(node.records[node.records.length - 1], node.name)))),
    part("What is left out", el("ul", {},
      data.documents.left_out ? el("li", {}, `${plural(data.documents.left_out, "document")} that training saw least`) : null,
      wordsOut ? el("li", {}, `${plural(wordsOut, "word")} of the search by words (${count(data.documents.words.common)} are in more than half of the texts)`) : null,
      data.apart.length ? el("li", {}, data.apart.map(([what, many]) => `${count(many)} ${what}`).join(", ")) : null,
      data.tasks.left_out ? el("li", {}, `${plural(data.tasks.left_out, "task")} of ${count(data.tasks.counts.tasks)}: those that were prompts least often, and that nothing or little was made of`) : null,
      data.paired.left_out ? el("li", {}, `paired differences of ${plural(data.paired.left_out, "pair")} of checkpoints`) : null,
      el("li", {}, "texts, and of the answers all but the first and the last of a task in each stage: ", command("regrow trace ID"), " and ", command("regrow batch CHECKPOINT --step N"), " read them from the data"))),
  );
}
