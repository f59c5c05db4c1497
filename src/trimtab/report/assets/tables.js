// Every table sorts by a press on a head, filters as one types, and is copied as CSV or Markdown.

const cells = (row) => [...row.cells].map((cell) => cell.textContent.trim());

function sortBy(table, column) {
  const heads = [...table.tHead.rows[0].cells], rising = heads[column].getAttribute("aria-sort") !== "ascending";
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", rising ? "ascending" : "descending");
  const value = (row) => {
    const cell = row.cells[column], text = cell.textContent.trim();
    return "n" in cell.dataset ? Number(cell.dataset.n) : text === "" || isNaN(text) ? text : Number(text);
  };
  const rows = [...table.tBodies[0].rows].map((row) => [value(row), row]);
  // Empty cells stand last, whichever way.
  const empty = (v) => v === "" || Number.isNaN(v);
  rows.sort(([a], [b]) => {
    if (empty(a) || empty(b)) return empty(a) - empty(b);
    const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return rising ? order : -order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

function filterBy(table, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of table.tBodies[0].rows) row.hidden = !wanted.every((word) => row.textContent.toLowerCase().includes(word));
}

function written(table, form) {
  const rows = [table.tHead.rows[0], ...[...table.tBodies[0].rows].filter((row) => !row.hidden)].map(cells);
  if (form === "csv") return rows.map((row) => row.map((cell) => /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell).join(",")).join("\n") + "\n";
  const lines = rows.map((row) => `| ${row.map((cell) => cell.replace(/[\\|<>*_`]/g, "\\$&")).join(" | ")} |`);
  lines.splice(1, 0, `|${" --- |".repeat(rows[0].length)}`);
  return lines.join("\n") + "\n";
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* not allowed here: the old way */ }
  const area = html("textarea", { value: text });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

function prepareTable(box) {
  const table = box.querySelector("table");
  [...table.tHead.rows[0].cells].forEach((head, column) => head.addEventListener("click", () => sortBy(table, column)));
  box.querySelector("input").addEventListener("input", (event) => filterBy(table, event.target.value));
  for (const button of box.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      box.querySelector(".said").textContent = (await copy(written(table, button.dataset.copy))) ? "copied" : "the browser does not allow it";
    });
  }
}
document.querySelectorAll(".table").forEach(prepareTable);
