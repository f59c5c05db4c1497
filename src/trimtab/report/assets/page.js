// What a reader chooses, and what the page shows then.

const DATA = JSON.parse(document.getElementById("data").textContent);
const state = { test: Object.keys(DATA.tests)[0], score: 0, against: "tokens", baseline: "declared", margin: null };
const controls = (name) => [...document.querySelectorAll(`[data-control="${name}"]`)];

// The charts and tables of the test set that is shown.
const within = (test) => [...document.querySelectorAll("[data-test]")].filter((part) => part.dataset.test === test);

function groupsShown(view) {
  const declared = view.groups.filter((group) => group.declared);
  if (state.baseline === "declared") return declared;
  const number = Number(state.baseline);
  return view.groups.filter((group) => group.baseline === number && !group.declared);
}

function baselines(select, view) {
  const options = [["declared", DATA.own === "declared" ? "as declared" : "as the study declares"]];
  for (const group of view.groups) if (!group.declared) options.push([String(group.baseline), DATA.variants[group.baseline].name]);
  if (!options.some(([value]) => value === state.baseline)) state.baseline = "declared";
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value, false, value === state.baseline)));
  select.parentElement.hidden = options.length < 2;
}

// The table of contrasts: the study's own with verdicts by the margin, or one of what was chosen instead.
function tableOfContrasts(section, view, groups, margin) {
  const box = section.querySelector(".table");
  if (!box) return;
  const isOwn = state.score === 0 && state.baseline === "declared";
  const rows = groups.flatMap((group) => group.rows);
  if (!section.chosen) {
    section.chosen = chosenTable(box);
    box.after(section.chosen);
    section.own = [...box.querySelector("tbody").rows];
    const place = (name) => [...box.querySelectorAll("th")].findIndex((head) => head.textContent.trim() === name);
    [section.verdict, section.pEquivalence] = [place("verdict"), place("p of equivalence")];
  }
  box.hidden = !isOwn;
  section.chosen.hidden = isOwn;
  if (isOwn) {
    rowsAsWritten(rows).forEach((row, k) => {
      section.own[k].cells[section.verdict].firstElementChild.textContent = row.verdicts[margin];
      section.own[k].cells[section.pEquivalence].textContent = row.pEquivalence[margin];
    });
    return;
  }
  const line = (row) => [DATA.variants[row.v].name, DATA.variants[row.b].name, [row.text, row.delta], row.interval, row.p, row.pEquivalence[margin], row.verdicts[margin]];
  fill(section.chosen, ["variant", "against", withUnit("difference", view.differenceUnit), "interval", "p of a difference", "p of equivalence", "verdict"], rows.map(line));
}

// Declared contrasts in the order of the study, which is that of the table; groups have them by baseline.
const rowsAsWritten = (rows) => [...rows].sort((a, b) => a.place - b.place);

function tableOfScores(section, view) {
  const box = section.querySelector(".table");
  if (!section.chosen) { section.chosen = chosenTable(box); box.after(section.chosen); }
  box.hidden = state.score !== 0;
  section.chosen.hidden = state.score === 0;
  if (state.score === 0) return;
  const line = (row) => [DATA.variants[row.v].name, [row.text, row.mean], row.interval, row.seeds.map(([, , text]) => text).join(" ")];
  fill(section.chosen, ["variant", withUnit(view.title, view.unit), "interval", "each seed"], view.means.map(line));
}

// An empty table like another, with its tools.
function chosenTable(box) {
  const other = box.cloneNode(true);
  other.querySelector("thead tr").replaceChildren();
  other.querySelector("tbody").replaceChildren();
  other.dataset.table = "";
  return other;
}

function fill(box, heads, rows) {
  const head = heads.map((text) => { const th = html("th", { scope: "col" }, html("button", { type: "button" }, text)); return th; });
  box.querySelector("thead tr").replaceChildren(...head);
  const body = rows.map((row) => html("tr", {}, ...row.map((cell) => {
    const [text, number] = Array.isArray(cell) ? cell : [cell, undefined], td = html("td", {}, html("bdi", {}, text));
    if (number !== undefined && number !== null) td.dataset.n = number;
    return td;
  })));
  box.querySelector("tbody").replaceChildren(...body);
  const fresh = box.cloneNode(true); // without the listeners of what it showed before
  box.replaceChildren(...fresh.childNodes);
  prepareTable(box);
}

function show() {
  document.querySelectorAll("[data-test]").forEach((part) => { part.hidden = part.dataset.test !== state.test; });
  const test = DATA.tests[state.test];
  if (!test) return;
  const view = test.views[Math.min(state.score, test.views.length - 1)];
  const margin = Math.min(state.margin ?? view.margin, view.margins.length - 1);
  for (const section of within(state.test)) {
    for (const chart of section.querySelectorAll("[data-chart]")) {
      const place = chart.querySelector(".drawing");
      place.setAttribute("aria-label", chart.dataset.words);
      if (chart.dataset.chart === "scores") { drawScores(place, view, test, state.against, show); tableOfScores(section, view); }
      if (chart.dataset.chart === "lengths") drawLengths(place, state.test, test, show);
      if (chart.dataset.chart === "contrasts") {
        baselines(chart.querySelector('[data-control="baseline"]'), view);
        const groups = groupsShown(view);
        const slider = chart.querySelector('[data-control="margin"]');
        slider.max = view.margins.length - 1;
        slider.value = margin;
        slider.setAttribute("aria-valuetext", view.marginTexts[margin]);
        const own = state.score === 0 && margin === view.margin && state.baseline === "declared";
        slider.nextElementSibling.textContent = view.marginTexts[margin] + (own ? ` (${DATA.own})` : "");
        drawContrasts(place, view, groups, margin);
        tableOfContrasts(section, view, groups, margin);
        remark(section, own, view, margin);
      }
    }
  }
}

// What is not as the study declared it says so.
function remark(section, own, view, margin) {
  section.remark ??= section.querySelector("figure").appendChild(html("p", { className: "said" }));
  section.remark.hidden = own;
  const what = state.baseline === "declared" ? "" : " Contrasts with this baseline were not declared: they are explored, and adjusted over themselves alone.";
  const judged = state.score === 0 ? "" : (DATA.own === "declared" ? " Another score is the declared one." : " The study is judged by another score.");
  section.remark.textContent = `Verdicts are recomputed for a margin of ${view.marginTexts[margin]} from the stored differences and their standard errors; a margin that is chosen after looking proves less.${what}${judged}`;
}

function listen(name, change) {
  for (const control of controls(name)) control.addEventListener("input", () => {
    change(control);
    for (const other of controls(name)) if (other !== control && other.tagName === control.tagName) other.value = control.value;
    show();
  });
}
listen("test", (control) => { state.test = control.value; });
listen("score", (control) => { state.score = control.selectedIndex; state.margin = null; state.baseline = "declared"; });
listen("against", (control) => { state.against = control.value; });
listen("baseline", (control) => { state.baseline = control.value; });
listen("margin", (control) => { state.margin = Number(control.value); });
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
let waiting;
addEventListener("resize", () => { tip.hidden = true; clearTimeout(waiting); waiting = setTimeout(show, 150); });
show();
