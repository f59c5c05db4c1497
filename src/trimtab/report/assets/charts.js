// The page's three charts. Each takes its place in the page, and what to draw; numbers come as they are shown.

const hiddenSeries = new Set(), shownLengths = new Map();
const VERDICT = {
  better: { fill: "var(--good)", sign: "▲" }, worse: { fill: "var(--bad)", sign: "▼" }, equivalent: { fill: "var(--accent)", sign: "■" },
  inconclusive: { fill: "var(--soft)", sign: "●" }, identical: { fill: "var(--soft)", sign: "◇" },
};
const wide = () => Math.max(320, Math.min(1100, document.querySelector("main").clientWidth));

function withUnit(title, unit) { return unit ? `${title}, ${unit}` : title; }

// Scores of all variants against what they cost.
function drawScores(place, view, test, against, redraw) {
  const names = { tokens: "tokens a training row, special ones included", seconds: "seconds of training", maxLen: "max_len, tokens" };
  const every = view.means.filter((row) => row.same === null && DATA.variants[row.v][against] !== null);
  const rows = every.filter((row) => !hiddenSeries.has(DATA.variants[row.v].series));
  place.replaceChildren();
  const series = new Map(every.map((row) => [DATA.variants[row.v].series, DATA.variants[row.v].colour]));
  const keys = [...series].map(([label, number]) => ({ key: label, label, number }));
  if (rows.length) {
    const xs = rows.map((row) => DATA.variants[row.v][against]);
    const ys = rows.flatMap((row) => [row.mean, row.low, row.high, row.ceiling]).concat(view.prior);
    const width = wide(), spread = Math.max(...xs) / Math.min(...xs);
    const { picture, x, y, xRange } = frame(width, width < 600 ? 300 : 380, { left: 58, right: 18, top: 14, bottom: 44 }, xs, ys,
      names[against], withUnit(view.title, view.unit), Math.min(...xs) > 0 && spread > 4);
    if (view.prior !== null) {
      picture.append(svg("line", { x1: xRange[0], x2: xRange[1], y1: y(view.prior), y2: y(view.prior), stroke: "var(--ink)", "stroke-dasharray": "6 4" }));
      picture.append(svg("text", { x: xRange[1], y: y(view.prior) - 5, "text-anchor": "end" }, `label-prior baseline, ${view.priorText}`));
    }
    for (const row of rows) {
      const variant = DATA.variants[row.v], tint = colour(variant.colour);
      // Points of the same cost stand side by side, by so little that it cannot be read as another cost.
      const beside = rows.filter((other) => Math.abs(x(DATA.variants[other.v][against]) - x(variant[against])) < 3);
      const px = x(variant[against]) + (beside.indexOf(row) - (beside.length - 1) / 2) * Math.min(9, 54 / beside.length);
      if (row.ceiling !== null) picture.append(svg("line", { x1: px - 6, x2: px + 6, y1: y(row.ceiling), y2: y(row.ceiling), stroke: tint, "stroke-width": 2, "stroke-dasharray": "5 2" }));
      if (row.low !== null) picture.append(svg("line", { x1: px, x2: px, y1: y(row.low), y2: y(row.high), stroke: tint, "stroke-width": 1.6 }));
      if (row.v === test.taken) picture.append(svg("circle", { cx: px, cy: y(row.mean), r: 11, fill: "none", stroke: "var(--good)", "stroke-width": 2.5 }));
      const point = mark(px, y(row.mean), variant.colour, { fill: tint, class: "point" });
      const seeds = row.seeds.map(([seed, , text]) => `seed ${seed}: ${text}`).join("\n");
      explain(point, `${variant.name}\n${row.text} (${row.interval})\n${names[against]}: ${short(variant[against])}${variant.rate ? ", " + variant.rate : ""}\n${seeds}`);
      picture.append(point);
    }
    place.append(picture);
  }
  if (keys.length > 1 && keys.length <= 40) place.append(legend(keys, hiddenSeries, redraw));
  const ceiling = rows.some((row) => row.ceiling !== null) ? " Dashed ticks: the best that the cut permits." : "";
  const ring = test.taken === null ? "" : " Ringed: the recommended variant.";
  place.parentElement.querySelector("figcaption").textContent = `Means with ${DATA.level} intervals.${ceiling}${ring} Point at a mark to see its seeds.`;
}

// Differences with both intervals, by baseline; the margin is shaded.
function drawContrasts(place, view, groups, margin) {
  place.replaceChildren();
  const rows = groups.flatMap((group) => group.rows);
  if (!rows.length) { place.append(html("p", {}, "No contrast has a seed that both of its variants have finished.")); return; }
  const width = wide(), side = Math.min(Math.round(width * 0.4), 330), letters = Math.floor(side / 6.4), step = 34, head = 26;
  const height = groups.length * head + rows.length * step + 52;
  const bounds = rows.flatMap((row) => [row.delta, row.low, row.high, row.adjustedLow, row.adjustedHigh]);
  const edge = view.margins[margin];
  const x = linear(padded([...bounds, 0, edge, -edge]), [side + 8, width - 14]);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group" });
  const bottom = height - 44;
  picture.append(svg("rect", { class: "band", x: x(-edge), width: x(edge) - x(-edge), y: 0, height: bottom, fill: "var(--line)", opacity: 0.45 }));
  for (const tick of ticks(...padded([...bounds, 0, edge, -edge], 0), width < 600 ? 4 : 7)) {
    picture.append(svg("line", { class: "grid", x1: x(tick), x2: x(tick), y1: 0, y2: bottom }));
    picture.append(svg("text", { x: x(tick), y: bottom + 16, "text-anchor": "middle", class: "soft" }, (tick > 0 ? "+" : "") + short(tick)));
  }
  picture.append(svg("line", { x1: x(0), x2: x(0), y1: 0, y2: bottom, stroke: "var(--ink)" }));
  let y = 0;
  for (const group of groups) {
    const title = svg("text", { x: 0, y: y + 17, "font-weight": 700 }, lines(`against ${DATA.variants[group.baseline].name}`, Math.floor(width / 7.2), 1)[0]);
    picture.append(title);
    y += head;
    for (const row of group.rows) {
      const name = DATA.variants[row.v].name, middle = y + step / 2, verdict = row.verdicts[margin], { fill, sign } = VERDICT[verdict];
      lines(name, letters).forEach((line, k, all) => picture.append(svg("text", { x: side, y: middle + 4 + (k - (all.length - 1) / 2) * 13, "text-anchor": "end" }, line)));
      const g = svg("g", { class: "point" });
      if (row.low !== null && verdict !== "identical") {
        g.append(svg("line", { x1: x(row.adjustedLow), x2: x(row.adjustedHigh), y1: middle, y2: middle, stroke: fill, "stroke-width": 1.4 }));
        g.append(svg("line", { x1: x(row.low), x2: x(row.high), y1: middle, y2: middle, stroke: fill, "stroke-width": 5, opacity: 0.75 }));
      }
      g.append(svg("text", { x: x(row.delta), y: middle + 5, "text-anchor": "middle", style: `fill:${fill};font-size:15px` }, sign));
      explain(g, `${name} against ${DATA.variants[row.b].name}\n${row.text} ${view.differenceUnit} (${row.interval})\np of a difference ${row.p || "none"}, of equivalence ${row.pEquivalence[margin] || "none"}, both adjusted\n${verdict} at a margin of ${view.marginTexts[margin]}; ${row.seeds} seeds${row.stopped ? `\nstopped: ${row.stopped}` : ""}`);
      picture.append(g);
      y += step;
    }
  }
  picture.append(svg("text", { x: (side + width) / 2, y: height - 6, "text-anchor": "middle" }, withUnit(`difference in ${view.name}`, view.differenceUnit)));
  place.append(picture);
  const there = new Set(rows.map((row) => row.verdicts[margin]));
  const words = Object.keys(VERDICT).filter((verdict) => there.has(verdict)).map((verdict) => `${VERDICT[verdict].sign} ${verdict}`).join(", ");
  place.parentElement.querySelector("figcaption").textContent =
    `${words}. Thick: the ${DATA.looks ? `${DATA.level} interval that holds at every look` : `plain ${DATA.level} interval`}; thin: the one adjusted for the number of contrasts, which leaves out 0 just where better or worse is said. Shaded: the margin, ${view.marginTexts[margin]} either way.`;
}

// Scores by the length of rows, a line a variant; at first those of the fewest tokens, the most, and the taken one.
function drawLengths(place, name, test, redraw) {
  const found = test.lengths;
  place.replaceChildren();
  if (!found) return;
  if (!shownLengths.has(name)) {
    const order = [...found.variants].sort((a, b) => DATA.variants[a.v].tokens - DATA.variants[b.v].tokens).map((one) => one.v);
    const first = order.length <= 6 ? order : [order[0], order[Math.floor(order.length / 2)], order.at(-1), test.taken ?? order[1]];
    shownLengths.set(name, new Set(order.filter((v) => !first.includes(v))));
  }
  const hidden = shownLengths.get(name), rows = found.variants.filter((one) => !hidden.has(one.v));
  const places = found.bins.map((_, k) => k);
  if (rows.length) {
    const width = wide(), height = width < 600 ? 280 : 340, margins = { left: 58, right: 18, top: 14, bottom: 50 };
    const ys = rows.flatMap((one) => one.means), yDomain = padded(ys);
    const x = linear([-0.5, places.length - 0.5], [margins.left, width - margins.right]), y = linear(yDomain, [height - margins.bottom, margins.top]);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group" });
    for (const tick of ticks(...yDomain)) {
      picture.append(svg("line", { class: "grid", x1: margins.left, x2: width - margins.right, y1: y(tick), y2: y(tick) }));
      picture.append(svg("text", { x: margins.left - 6, y: y(tick) + 4, "text-anchor": "end", class: "soft" }, short(tick)));
    }
    found.bins.forEach(([low, high], k) => picture.append(svg("text", { x: x(k), y: height - margins.bottom + 16, "text-anchor": "middle", class: "soft" }, low === high ? `${low}` : `${low}–${high}`)));
    picture.append(svg("text", { x: (margins.left + width) / 2, y: height - 6, "text-anchor": "middle" }, "tokens of a row before any cut"));
    picture.append(svg("text", { transform: `translate(12 ${(height - margins.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, withUnit(found.title, found.unit)));
    for (const one of rows) {
      const number = found.variants.indexOf(one), tint = colour(number), points = one.means.map((mean, k) => [x(k), y(mean)]);
      picture.append(svg("polyline", { points: points.map((p) => p.join(",")).join(" "), fill: "none", stroke: tint, "stroke-width": 1.6, opacity: 0.8 }));
      points.forEach(([px, py], k) => {
        const point = mark(px, py, number, { fill: tint, class: "point" });
        explain(point, `${DATA.variants[one.v].name}\n${short(one.means[k])} ${found.unit} on ${found.bins[k][2].toLocaleString("en-US")} rows of ${found.bins[k][0]} to ${found.bins[k][1]} tokens`);
        picture.append(point);
      });
    }
    place.append(picture);
  }
  place.append(legend(found.variants.map((one, k) => ({ key: one.v, label: DATA.variants[one.v].name, number: k })), hidden, redraw));
  place.parentElement.querySelector("figcaption").textContent = "Bins hold about equally many rows. Press a name to show or hide its line.";
}
