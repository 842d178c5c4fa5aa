// Two checkpoints side by side: which records differ, and in what.
function chooser(id, name, chosen, act) {
  return el("label", {}, name, el("select", { id, onchange: (event) => act(event.target.value) },
    checkpoints.map((record) => el("option", { value: record.name, selected: record.name === chosen }, record.name))));
}
function showCompare(left, right) {
  const a = records.get(left), b = records.get(right);
  const mine = ancestry(left), yours = ancestry(right);
  const order = data.records.map((record) => record.name);
  const only = (one, other) => order.filter((name) => one.has(name) && !other.has(name));
  const onlyLeft = only(mine, yours), onlyRight = only(yours, mine), both = order.filter((name) => mine.has(name) && yours.has(name));
  const held = document.activeElement.id;
  put(
    heading("Two checkpoints"),
    el("p", { class: "row choose" },
      chooser("left", "A ", left, (name) => { location.hash = go("c", `${name},${right}`); }),
      chooser("right", "B ", right, (name) => { location.hash = go("c", `${left},${name}`); }),
      button("swap", () => { location.hash = go("c", `${right},${left}`); }, { id: "swap" })),
    sentence(relation(left, right, mine, yours), "lead"),
    el("div", { class: "two" }, side("A", a, onlyLeft), side("B", b, onlyRight)),
    part("What differs", causes(a, b, onlyLeft, onlyRight)),
    more(`${plural(both.length, "record")} of both`, el("p", { class: "chips" }, both.map((name) => link(name)))),
    part("Measured on held-out data", together(left, right)),
    part("Training", el("div", { class: "two" }, el("div", {}, el("h4", {}, bdi(left)), charts(a.step)), el("div", {}, el("h4", {}, bdi(right)), charts(b.step)))),
  );
  if (["left", "right", "swap"].includes(held)) $(held).focus();
  mark(null);
  boxes.forEach((box, place) => {
    const has = (list) => list.some((name) => nodeOf.get(name) === place);
    const l = has(onlyLeft), r = has(onlyRight);
    box.classList.toggle("way", l);
    box.classList.toggle("other", r && !l);
    box.classList.toggle("far", !l && !r && !has(both));
  });
  const first = order.find((name) => onlyLeft.includes(name) || onlyRight.includes(name)) || left;
  if (nodeOf.has(first)) bring(boxes[nodeOf.get(first)]);
}
function relation(left, right, mine, yours) {
  if (left === right) return "The same checkpoint twice.";
  if (records.get(left).sha256 === records.get(right).sha256) return "Equal bytes, made in two ways.";
  if (yours.has(left)) return `${right} was trained on from ${left}.`;
  if (mine.has(right)) return `${left} was trained on from ${right}.`;
  const shared = checkpoints.filter((record) => mine.has(record.name) && yours.has(record.name));
  return shared.length ? `Both go back to ${shared[shared.length - 1].name}, and part there.` : "They share no checkpoint.";
}
function side(letter, record, only) {
  return el("div", { class: letter === "A" ? "mine" : "yours" },
    el("h3", {}, `${letter} `, link(record.name)),
    facts([["output", hash(record.sha256, 16)], ["key", hash(record.key, 16)], ["size", bytes(record.size)]]),
    sentence(only.length ? `${plural(only.length, "record")} that only ${letter} was made from` : `Nothing that only ${letter} was made from`, "note"),
    only.length ? el("p", { class: "chips" }, only.map((name) => link(name))) : null);
}
// Records that play the same part: of the same step, else the two checkpoints themselves.
function causes(a, b, onlyLeft, onlyRight) {
  if (a === b) return sentence("Nothing.", "note");
  const last = (names) => new Map(names.map((name) => [records.get(name).step, records.get(name)]));
  const mine = last(onlyLeft), yours = last(onlyRight);
  const pairs = [...mine].filter(([step]) => yours.has(step)).map(([step, record]) => [record, yours.get(step)]);
  if (!pairs.some(([x, y]) => x === a && y === b)) pairs.push([a, b]);
  return pairs.map(([x, y]) => difference(x, y));
}
function changed(x, y) {
  const mine = new Map(x), yours = new Map(y);
  const names = [...new Set([...mine.keys(), ...yours.keys()])].sort();
  const value = (map, name) => (map.has(name) ? told(map.get(name)) : "–");
  return names.filter((name) => value(mine, name) !== value(yours, name)).map((name) => [name, value(mine, name), value(yours, name)]);
}
function difference(x, y) {
  const codeX = data.code[x.code], codeY = data.code[y.code];
  const modules = (code) => [...code.modules.map((n) => data.modules[n].slice(0, 2)), ...Object.entries(code.native)];
  const inputsOf = (record) => record.inputs.map(([name, , path, , made]) => [name, made || path]);
  const rows = [
    ["instance", x.instance === y.instance ? [] : [["instance", told(x.instance), told(y.instance)]]],
    ["options", changed(flat(x.options), flat(y.options))],
    ["parameters", changed(flat(data.params[x.params]), flat(data.params[y.params]))],
    ["inputs", changed(inputsOf(x), inputsOf(y))],
    ["packages", changed(Object.entries(data.packages[x.packages]), Object.entries(data.packages[y.packages]))],
    ["arithmetic", x.numerics === y.numerics ? [] : [["arithmetic", told(x.numerics), told(y.numerics)]]],
    ["function", codeX.function === codeY.function ? [] : [["function", told(codeX.function || null), told(codeY.function || null)]]],
    ["code", codeX.digest === codeY.digest ? [] : changed(modules(codeX), modules(codeY))],
  ];
  if (codeX.function !== codeY.function) {
    rows.splice(0, rows.length, ...rows.filter((row) => row[0] === "function" || row[0] === "inputs"));
  }
  const same = rows.filter((row) => !row[1].length).map((row) => row[0]);
  return el("div", { class: "cause" },
    el("h4", {}, link(x.name), " and ", link(y.name)),
    rows.filter((row) => row[1].length).map(([what, differing]) => {
      const shown = table([what, "A", "B"], differing.map((cells) => [...cells, ...definitions(what, cells[0], cells)].slice(0, 4)), "diff");
      return differing.length > 8 ? more(`${what}: ${plural(differing.length, "difference")}`, shown) : shown;
    }),
    codeX.function !== codeY.function ? sentence("Steps of different kinds: their parameters and code are not set side by side.", "note") : null,
    same.length ? sentence(`Equal: ${same.join(", ")}.`, "note") : null);
}
// Of a module that both reach in two versions, the definitions that differ.
function definitions(what, name, cells) {
  if (what !== "code") return [];
  const versions = data.modules.filter((entry) => entry[0] === name && entry[2] && (entry[1] === cells[1] || entry[1] === cells[2]));
  if (versions.length !== 2) return [];
  const names = changed(Object.entries(versions[0][2]), Object.entries(versions[1][2])).map((row) => row[0]);
  return names.length ? [names.join(", ")] : [];
}
function together(left, right) {
  const a = data.figures.values[left], b = data.figures.values[right];
  if (!a && !b) return sentence("Neither was evaluated.", "note");
  const probes = Object.keys(data.figures.probes).filter((probe) => (a && a[probe]) || (b && b[probe]));
  const apart = pairedOf(left, right), swapped = apart && apart.swapped;
  return [
    table(["", ...(apart ? [swapped ? "A − B, paired" : "B − A, paired"] : []), "A over B", "A", "B"], probes.map((probe) => [
      probeName(probe), ...(apart ? [apart.of(probe)] : []), interval(probe, [[a && a[probe], "was"], [b && b[probe], "now"]]), interv(a && a[probe]), interv(b && b[probe])]), "figures"),
    apart ? sentence(["Paired: the difference on the items that both were asked, with its paired interval of 95 %, as ", command("regrow evals --gains"), ` computes it (of one seed). ▲ lies wholly on the better side of 0, ▼ on the worse. Always the later checkpoint in the flow minus the earlier.`], "note")
      : sentence(["Intervals of 95 % for each by itself. Two that overlap may differ all the same, where both were asked the same questions: ", command("regrow evals --gains"), " gives paired intervals of stages that follow each other."], "note"),
  ];
}
// The paired differences of two checkpoints: later minus earlier, whichever stands left.
function pairedOf(left, right) {
  const rows = data.paired.differences[`${left},${right}`] || data.paired.differences[`${right},${left}`];
  if (!rows) return null;
  const by = new Map(rows.map(([place, ...values]) => [data.paired.probes[place], values]));
  const sign = (value) => (value > 0 ? "+" : value < 0 ? "−" : "") + figure(Math.abs(value));
  return {
    swapped: !data.paired.differences[`${left},${right}`],
    of: (probe) => {
      if (!by.has(probe)) return "–";
      const [value, low, high, items, clear] = by.get(probe);
      return el("span", { class: `value ${clear > 0 ? "better-side" : clear < 0 ? "worse-side" : ""}` }, el("span", { class: "together" }, `${sign(value)}${clear > 0 ? " ▲" : clear < 0 ? " ▼" : ""}`),
        el("small", {}, ` ${sign(low)} to ${sign(high)}, ${plural(items, "item")}`));
    },
  };
}
