// The room: things looked at closely open in a dialog, the matrix is walked by arrow keys, the depth of the cards is chosen.
"use strict";
(() => {
  const dialog = document.getElementById("look-dialog");
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-look]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await htmx.ajax("GET", link.getAttribute("href"), { target: "#look", swap: "innerHTML" });
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    dialog.querySelector("h2")?.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest('a[href^="#e-"]')) dialog.close();
  });

  // Arrow keys move from number to number; what is no number is stepped over.
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.(".matrix td");
    const step = STEPS[event.key];
    if (!cell || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const rows = [...cell.closest("tbody").rows];
    let [row, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
    for (;;) {
      [row, column] = [row + step[0], column + step[1]];
      const next = rows[row]?.cells[column];
      if (!next || next.tagName !== "TD") return;
      const link = next.querySelector("a");
      if (link) return link.focus();
    }
  });

  const centre = document.querySelector("[data-depth]");
  document.querySelector(".depth")?.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    const address = new URL(link.href);
    centre.dataset.depth = address.searchParams.get("depth");
    for (const each of link.parentElement.children) each.toggleAttribute("aria-current", false);
    link.setAttribute("aria-current", "true");
    history.replaceState(history.state, "", address.pathname + address.search + location.hash);
  });
})();
