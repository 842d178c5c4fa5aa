// The data of the page, and the index of documents unpacked.
const data = JSON.parse($("data").textContent);
const records = new Map(data.records.map((record) => [record.name, record]));
const nodes = data.graph.nodes;
const nodeOf = new Map(nodes.flatMap((node, place) => node.records.map((name) => [name, place])));
nodes.forEach((node, place) => { if (!nodeOf.has(node.name)) nodeOf.set(node.name, place); });
const nodeOfStep = new Map(nodes.map((node, place) => [node.step, place]));
const checkpoints = data.records.filter((record) => record.checkpoint);

// The node that stands for a record: its own, or for an evaluation or release its checkpoint's.
function placeOf(name) {
  if (nodeOf.has(name)) return nodeOf.get(name);
  const record = records.get(name);
  const made = record && record.inputs.find((input) => input[0] === "checkpoint" && input[4]);
  return made ? nodeOf.get(made[4]) : undefined;
}
const readers = new Map();
for (const record of data.records) {
  for (const input of record.inputs) {
    const made = input[4] || input[2];
    if (!readers.has(made)) readers.set(made, []);
    if (!readers.get(made).includes(record.name)) readers.get(made).push(record.name);
  }
}
function ancestry(name) {
  const found = new Set();
  const queue = [name];
  while (queue.length) {
    const next = queue.pop();
    if (found.has(next) || !records.has(next)) continue;
    found.add(next);
    for (const input of records.get(next).inputs) if (input[4]) queue.push(input[4]);
  }
  return found;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUE = new Map([...DIGITS].map((digit, value) => [digit, value]));
function numbers(packed) {
  const found = [];
  let value = 0, shift = 0;
  for (const digit of packed) {
    const bits = VALUE.get(digit);
    value += (bits & 31) * 2 ** shift;
    shift += 5;
    if (bits < 32) { found.push(value); value = 0; shift = 0; }
  }
  return found;
}
function rising(packed) {
  let last = 0;
  return numbers(packed).map((step) => (last += step));
}

const labels = data.documents.labels;
const documents = data.documents.rows.map((row, number) => ({
  number, id: row[0], url: row[1], title: row[2], source: data.documents.sources[row[3]],
  licence: data.documents.licences[row[4]], end: data.documents.ends[row[5]], fate: row[6],
  text: `${row[1]}\n${row[2]}`.toLowerCase(),
  get stops() {
    return row[7].map(([step, outcome, parts]) => {
      const known = [];
      for (let i = 0; i < parts.length; i += 2) known.push([labels[parts[i]], parts[i + 1]]);
      return { step: data.documents.steps[step], outcome, facts: new Map(known) };
    });
  },
  get seen() {
    return row[8].map(([checkpoint, tokens, steps, packed]) => ({ checkpoint, tokens, count: steps, steps: rising(packed) }));
  },
}));
const byId = new Map(documents.filter((found) => found.id).map((found) => [found.id, found]));

// The words are unpacked when the first search needs them.
let unpacked = null;
function words() {
  if (unpacked) return unpacked;
  const vocabulary = [];
  let last = "";
  for (const [, shared, rest] of data.documents.words.vocabulary.matchAll(/(\d)([^\d]+)/g)) {
    last = last.slice(0, Number(shared)) + rest;
    vocabulary.push(last);
  }
  const all = numbers(data.documents.words.postings);
  const texts = rising(data.documents.words.texts);
  const postings = [];
  for (let i = 0; i < all.length;) {
    const many = all[i++];
    const held = [];
    for (let n = 0, at = 0; n < many; n++) { at += all[i++]; held.push(texts[at]); }
    postings.push(held);
  }
  unpacked = { vocabulary, postings };
  return unpacked;
}
// The documents that hold a word that begins so.
function holding(word) {
  const { vocabulary, postings } = words();
  let low = 0, high = vocabulary.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(vocabulary[middle], word)) low = middle + 1; else high = middle;
  }
  const found = new Set();
  for (; low < vocabulary.length && vocabulary[low].startsWith(word); low++) for (const number of postings[low]) found.add(number);
  return found;
}
// The order of code points, in which the vocabulary was sorted (plain < compares UTF-16 units).
function before(a, b) {
  const left = [...a], right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i] !== right[i]) return left[i].codePointAt(0) < right[i].codePointAt(0);
  }
  return left.length < right.length;
}
