"use strict";
// Small tools for charts: SVG elements, scales, and the box that shows what is under the pointer.

const NS = "http://www.w3.org/2000/svg";

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function html(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const colour = (number) => `var(--c${number % 8})`;
const MARKS = ["circle", "square", "diamond", "triangle"];

// A mark of about 10 units across; the shape tells colours apart that are used twice.
function mark(x, y, number, attributes = {}) {
  const r = 5, shape = MARKS[Math.floor(number / 8) % MARKS.length];
  const paths = {
    square: `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
    diamond: `M${x},${y - r - 1}l${r + 1},${r + 1}l${-r - 1},${r + 1}l${-r - 1},${-r - 1}z`,
    triangle: `M${x},${y - r - 1}l${r + 1},${2 * r}h${-2 * r - 2}z`,
  };
  if (shape === "circle") return svg("circle", { cx: x, cy: y, r, ...attributes });
  return svg("path", { d: paths[shape], ...attributes });
}

// Round numbers that cover the range, at most about `many` of them.
function ticks(low, high, many = 6) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / many, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((s) => s * power >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(+(k * step).toPrecision(12));
  return found;
}

// Numbers along a logarithmic axis: 1, 2, 5 times powers of ten, or the values themselves where they are few.
function logTicks(values) {
  const own = [...new Set(values)].sort((a, b) => a - b);
  if (own.length <= 8) return own;
  const found = [];
  for (let p = Math.floor(Math.log10(own[0])); p <= Math.ceil(Math.log10(own.at(-1))); p++)
    for (const m of [1, 2, 5]) if (m * 10 ** p >= own[0] * 0.9 && m * 10 ** p <= own.at(-1) * 1.1) found.push(m * 10 ** p);
  return found;
}

function linear(domain, range) {
  const span = domain[1] - domain[0] || 1;
  return (value) => range[0] + ((value - domain[0]) / span) * (range[1] - range[0]);
}

function padded(values, share = 0.06) {
  const known = values.filter((value) => value !== null && value !== undefined);
  let low = Math.min(...known), high = Math.max(...known);
  if (low === high) { low -= Math.abs(low) * 0.05 || 1; high += Math.abs(high) * 0.05 || 1; }
  const more = (high - low) * share;
  return [low - more, high + more];
}

const short = (value) => Math.abs(value) >= 1e6 ? (value / 1e6).toPrecision(3) + "M" : value.toLocaleString("en-US", { maximumSignificantDigits: 5 });

// Break a label at places where a spec may be broken, into at most `most` lines of about `width` characters.
function lines(label, width, most = 2) {
  const parts = label.split(/(?<=[ ,+(=])/), found = [""];
  for (const part of parts) {
    if ((found.at(-1) + part).length > width && found.at(-1)) found.push("");
    found[found.length - 1] += part;
  }
  const kept = found.slice(0, most).map((line) => line.length > width + 4 ? line.slice(0, width + 3) + "…" : line);
  if (found.length > most) kept[most - 1] = kept[most - 1].trimEnd().slice(0, width) + "…";
  return kept;
}

const tip = document.getElementById("tip");

function explain(element, text) {
  element.setAttribute("tabindex", "0");
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", text.replaceAll("\n", "; "));
  const show = () => {
    tip.textContent = text;
    tip.hidden = false;
    const box = element.getBoundingClientRect(), width = tip.offsetWidth;
    const left = Math.min(Math.max(4, box.left + box.width / 2 - width / 2), document.documentElement.clientWidth - width - 4);
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${box.bottom + scrollY + 8}px`;
  };
  const hide = () => { tip.hidden = true; };
  element.addEventListener("pointerenter", show);
  element.addEventListener("focus", show);
  element.addEventListener("pointerleave", hide);
  element.addEventListener("blur", hide);
}
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

// A frame with both axes: returns the SVG and the two scales.
function frame(width, height, margins, xs, ys, xLabel, yLabel, logarithmic = false) {
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group" });
  const log = (value) => logarithmic ? Math.log(value) : value;
  const xRange = [margins.left, width - margins.right], yRange = [height - margins.bottom, margins.top];
  const xScale = linear(padded(xs.map(log)), xRange), yDomain = padded(ys), yScale = linear(yDomain, yRange);
  const x = (value) => xScale(log(value));
  const [low, high] = padded(xs.map(log));
  for (const tick of logarithmic ? logTicks(xs) : ticks(low, high)) {
    picture.append(svg("line", { class: "grid", x1: x(tick), x2: x(tick), y1: yRange[0], y2: yRange[1] }));
    picture.append(svg("text", { x: x(tick), y: yRange[0] + 16, "text-anchor": "middle", class: "soft" }, short(tick)));
  }
  for (const tick of ticks(...yDomain)) {
    picture.append(svg("line", { class: "grid", x1: xRange[0], x2: xRange[1], y1: yScale(tick), y2: yScale(tick) }));
    picture.append(svg("text", { x: xRange[0] - 6, y: yScale(tick) + 4, "text-anchor": "end", class: "soft" }, short(tick)));
  }
  picture.append(svg("text", { x: (xRange[0] + xRange[1]) / 2, y: height - 4, "text-anchor": "middle" }, xLabel));
  const middle = (yRange[0] + yRange[1]) / 2;
  picture.append(svg("text", { transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle" }, yLabel));
  return { picture, x, y: yScale, xRange, yRange };
}

// A legend whose entries can be switched off and on; `hidden` is the set of keys that are off.
function legend(entries, hidden, redraw) {
  const box = html("div", { className: "legend" });
  for (const { key, label, number } of entries) {
    const dot = html("i");
    dot.style.background = colour(number);
    const button = html("button", { type: "button", className: hidden.has(key) ? "off" : "" }, dot, html("bdi", {}, label));
    button.setAttribute("aria-pressed", String(!hidden.has(key)));
    button.addEventListener("click", () => { hidden.has(key) ? hidden.delete(key) : hidden.add(key); redraw(); });
    box.append(button);
  }
  return box;
}
