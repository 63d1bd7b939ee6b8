// The room: things looked at closely open in a dialog, the matrix is walked by arrow keys, the depth of the cards is chosen.
"use strict";
(() => {
  const dialog = document.getElementById("look-dialog");
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-look]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const look = document.getElementById("look");
    look.replaceChildren();
    await htmx.ajax("GET", link.getAttribute("href"), { target: "#look", swap: "innerHTML" }).catch(() => null);
    if (!look.hasChildNodes()) return dialog.close(); // sending.js says why
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    dialog.querySelector("h2")?.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest('a[href^="#e-"], [data-open]')) dialog.close();
  });
  // What is said in the room is said to who pressed in a dialog too.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, shouldSwap, requestConfig } = event.detail;
    if (target.id === "said" && shouldSwap) requestConfig.elt.closest("dialog")?.close();
  });
  // What a dialog showed before is not what was asked for now.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target } = event.detail;
    if (elt.dataset.open && target?.closest("dialog")) target.replaceChildren();
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
