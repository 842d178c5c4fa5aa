// Tasks: what was made of one, which steps saw it, what it earned.
const named = (place) => data.tasks.names[place];
const tasks = data.tasks.rows.map((row, number) => ({
  number, id: row[0], family: named(row[1]), split: named(row[2]), question: row[3], answer: row[4],
  text: `${row[3]}\n${row[4]}\n${named(row[1])}`.toLowerCase(), held: named(row[2]) !== "train",
  get passed() { return row[5].map(([job, passes, samples, kept]) => ({ job: named(job), passes, samples, kept })); },
  get used() { return row[6].map(([id, checkpoint, about, steps]) => ({ id, checkpoint: named(checkpoint), about: named(about), steps: rising(steps) })); },
  ids: [...row[6].map((one) => one[0]), ...row[7]], apart: row[7],
  get rewarded() {
    return row[8].map(([checkpoint, steps, rewards, answers, tokens, shown]) => ({
      checkpoint: named(checkpoint), steps: rising(steps), rewards: numbers(rewards).map((one) => one / 100), answers, tokens,
      shown: shown.map(([step, reward, reason, text]) => ({ step, reward, reason: named(reason), text })) }));
  },
  get seen() { return row[9].map(([checkpoint, tokens, steps]) => ({ checkpoint: named(checkpoint), tokens, steps: rising(steps) })); },
  get scores() { return row[10].map(([checkpoint, probe, value]) => ({ checkpoint: named(checkpoint), probe: named(probe), value })); },
  answers: row[8].reduce((sum, run) => sum + run[3], 0), many: row[6].length,
}));
const taskById = new Map(tasks.map((task) => [task.id, task]));

// By the beginning of an id (its own, an example's, a pair's), or all words of question, answer and family.
function rankedTasks(query) {
  const text = query.trim().toLowerCase();
  if (!text) return tasks;
  const hex = HEX.test(text), asked = text.split(/\s+/);
  const score = (task) => {
    if (hex && task.id.startsWith(text)) return 3;
    if (hex && task.ids.some((id) => id.startsWith(text.slice(0, 12)))) return 2;
    return asked.every((word) => task.text.includes(word)) ? 1 : 0;
  };
  return tasks.map((task) => [score(task), task]).filter((row) => row[0]).sort((a, b) => b[0] - a[0] || a[1].number - b[1].number).map((row) => row[1]);
}
function toldOfTask(task) {
  const parts = [task.held ? `${task.split}: held out` : "train"];
  if (task.many) parts.push(plural(task.many, "example or pair", "examples or pairs"));
  if (task.answers) parts.push(plural(task.answers, "answer"));
  return parts.join(", ");
}
const taskRow = (task) => el("li", {}, el("a", { href: go("t", task.id), class: `end ${task.held ? "held-out" : "trained"}` },
  el("span", { class: "sign", "aria-hidden": "true" }, task.held ? "◇" : "¶"),
  el("span", {}, bdi(task.question, { class: "name" }), bdi(`task ${task.id}, ${task.family}`, { class: "url" }), bdi(toldOfTask(task), { class: "fate" }))));

function showTask(task) {
  const used = task.used, rewarded = task.rewarded, passed = task.passed, seen = task.seen;
  put(
    heading(task.question, "task"),
    el("p", { class: `verdict ${task.held ? "held-out" : "trained"}` }, task.held ? `${task.split}: held out, the models are asked it and never trained on it` : toldOfTask(task)),
    facts([["id", hash(task.id)], ["family", task.family], ["right answer", task.answer]]),
    part("Asked before training", passed.length ? table(["filter", "passed", ""], passed.map((one) => [link(one.job), `${one.passes} of ${one.samples}`, one.kept ? "kept as a prompt" : "dropped"])) : null),
    part("Examples and pairs", [...new Set(used.map((one) => one.checkpoint))].map((name) => madeOf(name, used.filter((one) => one.checkpoint === name))),
      task.apart.length ? sentence([`${plural(task.apart.length, "pair")} of it kept apart for evaluation: `, task.apart.map((id, n) => [n ? ", " : "", el("code", {}, id)])], "note") : null),
    part("Rewards", rewarded.map(earned)),
    part("In packed text", seen.map((entry) => exposure({ ...entry, count: entry.steps.length }))),
    part("Scores of the last checkpoints", scored(task.scores)),
    part("Ask more", el("p", {}, command(`regrow trace ${task.id}`), rewarded.length ? command(`regrow batch ${rewarded[0].checkpoint} --step ${rewarded[0].steps[0]}`) : null)),
  );
  const steps = new Set(["tasks", ...passed.map((one) => one.job)]);
  for (const entry of [...used, ...rewarded, ...seen]) if (entry.steps.length && records.has(entry.checkpoint)) steps.add(records.get(entry.checkpoint).step);
  for (const entry of seen) for (const input of records.get(entry.checkpoint).inputs) if (input[0] === "data" && input[4]) steps.add(records.get(input[4]).step);
  for (const name of [...steps]) for (const made of ["sft_data", "pairs"]) if (reads(name, made)) steps.add(made);
  markWay(steps, null);
  const at = nodeOfStep.get("tasks");
  if (at !== undefined) { current = at; bring(boxes[at]); }
}
const reads = (step, input) => data.records.some((record) => record.step === step && record.checkpoint && record.inputs.some((one) => one[0] === "data" && one[4] === input));
function madeOf(checkpoint, used) {
  return el("div", { class: "exposure" }, el("p", {}, el("b", {}, link(checkpoint))),
    table(["id", checkpoint.startsWith("dpo") ? "chosen over rejected" : "teacher", "seen at steps"], used.map((one) => [el("code", {}, one.id), one.about, one.steps.length ? runs(one.steps) : "none"])));
}
function earned(run) {
  const end = records.has(run.checkpoint) ? records.get(run.checkpoint).trained[1] : Math.max(...run.steps);
  const wide = Math.max(3, 400 / end);
  return el("div", { class: "exposure" },
    el("p", {}, el("b", {}, link(run.checkpoint)), ` ${plural(run.answers, "answer")}, ${plural(run.tokens, "token")}, mean reward by step:`),
    draw("svg", { class: "rewards", viewBox: "0 0 400 44", preserveAspectRatio: "none", role: "img", "aria-label": run.steps.map((step, n) => `step ${step}: ${run.rewards[n]}`).join(", ") },
      draw("line", { class: "grid", x1: 0, x2: 400, y1: 42, y2: 42 }), draw("line", { class: "grid", x1: 0, x2: 400, y1: 2, y2: 2 }),
      run.steps.map((step, n) => {
        const x = ((400 - wide) * (step - 1)) / Math.max(1, end - 1);
        return draw("rect", { x: x.toFixed(1), width: wide.toFixed(1), y: (42 - 40 * Math.min(1, run.rewards[n]) - 1).toFixed(1), height: (40 * Math.min(1, run.rewards[n]) + 1).toFixed(1) },
          draw("title", {}, `step ${step}: ${run.rewards[n]}`));
      })),
    run.shown.map((one) => el("p", { class: "reply" }, el("small", {}, `step ${one.step}, reward ${one.reward}, ${one.reason}: `), bdi(one.text))));
}
function scored(scores) {
  const probes = [...new Set(scores.map((one) => one.probe))], names = [...new Set(scores.map((one) => one.checkpoint))];
  if (!scores.length) return null;
  const value = (name, probe) => { const one = scores.find((row) => row.checkpoint === name && row.probe === probe); return one ? told(one.value) : "–"; };
  return table(["", ...probes.map((probe) => (data.figures.probes[probe] || { title: probe }).title)], names.map((name) => [link(name), ...probes.map((probe) => value(name, probe))]));
}
