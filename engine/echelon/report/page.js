"use strict";
(() => {
  const raw = (cell) => cell.dataset.raw ?? cell.textContent;
  const size = (words) => parseFloat(words.replaceAll(",", ""));
  const isNumber = (head) => head.classList.contains("n");

  function compare(column, numeric) {
    return (a, b) => {
      const [x, y] = [raw(a.cells[column]), raw(b.cells[column])];
      if (x === "" || y === "") return (x === "") - (y === "");
      return numeric ? size(x) - size(y) : x.localeCompare(y, "en", { numeric: true });
    };
  }

  function sort(table, head) {
    const down = head.getAttribute("aria-sort") === "ascending";
    const rows = [...table.tBodies[0].rows].sort(compare(head.cellIndex, isNumber(head)));
    if (down) {
      const blank = rows.filter((row) => raw(row.cells[head.cellIndex]) === "");
      rows.splice(0, rows.length, ...rows.filter((row) => !blank.includes(row)).reverse(), ...blank);
    }
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.tBodies[0].append(...rows);
  }

  for (const head of document.querySelectorAll("table.data th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(head.closest("table"), head));
  }

  function csv(table) {
    const heads = [...table.tHead.rows[0].cells];
    const quoted = (words) => (/[",\n\r]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words);
    const text = (words) => quoted(/^[=+\-@\t\r']/.test(words) ? "'" + words : words); // no spreadsheet may run it
    const value = (cell, head) => (isNumber(head) ? quoted(raw(cell)) : text(raw(cell)));
    const name = (head) => head.querySelector("button").firstChild.textContent.trim(); // without its unit
    const lines = [heads.map((head) => text(name(head))).join(",")];
    for (const row of table.tBodies[0].rows) lines.push(heads.map((head, i) => value(row.cells[i], head)).join(","));
    return lines.join("\n") + "\n";
  }

  for (const button of document.querySelectorAll("button.csv")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      const table = button.parentElement.querySelector("table");
      link.href = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv;charset=utf-8" }));
      link.download = button.dataset.file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
})();
