// Elements. Text goes in as text, never as markup: what documents hold is hostile.
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

const count = (value) => value.toLocaleString("en-US");
const plural = (value, word, many) => `${count(value)} ${value === 1 ? word : many || `${word}s`}`;
function bytes(value) {
  let unit = 0;
  const units = ["B", "kB", "MB", "GB", "TB"];
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
const figure = (value) => (Math.abs(value) < 10 ? value.toFixed(3) : value.toFixed(1));
function told(value) {
  if (value === null) return "none";
  if (Array.isArray(value) || typeof value === "object") return JSON.stringify(value);
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return String(value);
}
// A nested mapping as rows of dotted names.
function flat(value, prefix = "", rows = []) {
  for (const [name, item] of Object.entries(value || {})) {
    const whole = prefix ? `${prefix}.${name}` : name;
    if (item !== null && typeof item === "object" && !Array.isArray(item) && Object.keys(item).length) flat(item, whole, rows);
    else rows.push([whole, item]);
  }
  return rows;
}

const button = (text, act, attributes) => el("button", { type: "button", onclick: act, ...attributes }, text);
const bdi = (text, attributes) => el("bdi", attributes, text);
function hash(value, digits) {
  const code = el("code", { class: "hash", title: value }, digits ? value.slice(0, digits) : value);
  if (!navigator.clipboard) return code;
  const copy = button("copy", () => navigator.clipboard.writeText(value).then(
    () => say("copied"), () => say("The browser did not allow copying.")), { class: "copy", "aria-label": `copy ${value}` });
  return el("span", { class: "copied" }, code, copy);
}
// A small bar picture: rows of [label, value, class].
function bars(rows, most) {
  const top = most || Math.max(1, ...rows.map((row) => row[1]));
  return el("div", { class: "bars" }, rows.map(([label, value, css]) => {
    const bar = el("i", { class: css || "lost" });
    bar.style.width = `${(100 * value) / top}%`;
    return el("div", { class: "share" }, el("span", {}, bdi(label)), el("div", { class: "bar", "aria-hidden": "true" }, bar), el("span", { class: "n" }, count(value)));
  }));
}
const facts = (rows) => el("dl", { class: "facts" }, rows.filter((row) => row && row[1] !== null && row[1] !== undefined && row[1] !== "").map(
  ([name, value]) => [el("dt", {}, bdi(name)), el("dd", {}, typeof value === "string" ? bdi(value) : value)]));
function table(head, rows, css) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "table" }, el("table", { class: css },
    el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell) => el("td", {}, typeof cell === "string" ? bdi(cell) : cell)))))));
}
const more = (title, ...children) => el("details", {}, el("summary", {}, title), children);
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
function say(text) { $("said").textContent = text; }
