// Sorts the league table when a heading is clicked. Without it the page is complete, only not sortable.
"use strict";
(() => {
  const table = document.getElementById("league-table");
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const text = new Intl.Collator(undefined, { numeric: true });

  function compare(kind, sign) {
    return (a, b) => {
      if (a.value === b.value) return a.place - b.place;
      if (a.value === "" || b.value === "") return a.value === "" ? 1 : -1; // what is not known comes last, either way
      return sign * (kind === "number" ? a.value - b.value : text.compare(a.value, b.value));
    };
  }

  function sortBy(index) {
    const head = heads[index];
    const kind = head.dataset.sort;
    const first = kind === "text" || head.classList.contains("ix-rank") || head.classList.contains("ix-bar");
    const before = head.getAttribute("aria-sort");
    const ascending = before ? before === "descending" : first;
    const rows = [...body.rows].map((row, place) => ({ row, place, value: row.cells[index].dataset.value }));
    rows.sort(compare(kind, ascending ? 1 : -1));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    body.append(...rows.map((entry) => entry.row));
  }

  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(index));
    head.append(button);
  });
})();
