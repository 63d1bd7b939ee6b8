// Replay: steps through events. One request at a time; what was asked for meanwhile is asked for next, so that holding a
// key down never falls behind.
"use strict";
(() => {
  const bar = document.getElementById("scrub");
  const range = bar.querySelector("[data-scrub]");
  const field = bar.elements.at;
  const head = Number(bar.dataset.head);
  const stops = [...new Set([1, ...bar.dataset.rounds.split(" ").filter(Boolean).map(Number), head])];
  let at = Number(range.value);
  let busy = false;

  const address = (seq) => `${bar.getAttribute("action")}?at=${seq}`;
  const steps = {
    first: () => 1,
    last: () => head,
    before: () => Math.max(1, at - 1),
    after: () => Math.min(head, at + 1),
    "round-before": () => stops.filter((stop) => stop < at).at(-1) ?? at,
    "round-after": () => stops.find((stop) => stop > at) ?? at,
  };

  const mark = () => {
    range.value = field.value = String(at);
    for (const link of bar.querySelectorAll("[data-step]")) {
      const to = steps[link.dataset.step]();
      link.href = address(to);
      link.toggleAttribute("data-here", to === at);
    }
    for (const row of document.querySelectorAll("#feed li")) {
      const link = row.querySelector("[data-at]");
      const seq = Number(link.dataset.at);
      row.classList.toggle("ahead", seq > at);
      seq === at ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
      if (seq === at) keepInSight(row);
    }
  };
  // Within its own frame alone: the page stays where it is.
  const keepInSight = (row) => {
    const frame = row.closest("#feed");
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    if (top < frame.scrollTop) frame.scrollTop = top;
    else if (bottom > frame.scrollTop + frame.clientHeight) frame.scrollTop = bottom - frame.clientHeight;
  };
  const say = () => {
    const words = document.querySelector("#moment .moment-said").textContent;
    range.setAttribute("aria-valuetext", `Event ${at} of ${head}: ${words}`);
  };

  const open = new Map(); // folds that somebody opened or closed stay so
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    for (const fold of event.detail.target?.querySelectorAll("details[id]") ?? []) open.set(fold.id, fold.open);
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const place = document.getElementById(event.detail.target?.id ?? "");
    for (const fold of place?.querySelectorAll("details[id]") ?? []) if (open.get(fold.id)) fold.open = true;
  });

  const show = async () => {
    if (busy) return;
    busy = true;
    try {
      for (let shown = 0; shown !== at; ) {
        shown = at;
        await htmx.ajax("GET", address(shown), { source: bar, target: "#moment", swap: "outerHTML", select: "#moment" });
      }
    } catch {
      stay(Number(document.getElementById("moment").dataset.at)); // no answer came: the bar tells what is shown
    }
    busy = false;
    say();
  };
  const stay = (seq) => {
    at = seq;
    mark();
    history.replaceState(null, "", address(at));
  };
  const go = (seq) => {
    if (!Number.isInteger(seq) || seq < 1 || seq > head || seq === at) return;
    document.getElementById("look")?.remove(); // it was looked at in another moment
    stay(seq);
    show();
  };

  range.addEventListener("input", () => go(Number(range.value)));
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    go(Number(field.value));
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[data-step], a[data-at], a[href^="#e-"]');
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(link.dataset.step ? steps[link.dataset.step]() : Number(link.dataset.at || link.hash.slice("#e-".length)));
  });

  // The arrows step wherever the focus is; the keys that scroll a page do so unless the bar has it.
  const anywhere = { ArrowLeft: "before", ArrowRight: "after" };
  const onTheBar = { ...anywhere, ArrowDown: "before", ArrowUp: "after", Home: "first", End: "last", PageUp: "round-before", PageDown: "round-after" };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const inBar = event.target === range || Boolean(event.target.closest?.("#scrub a, #scrub button"));
    if (!inBar && event.target.closest?.("input, textarea, select, [contenteditable], dialog, .matrix, .js-plotly-plot")) return;
    const step = (inBar ? onTheBar : anywhere)[event.key];
    if (!step || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    go(steps[step]());
  });

  mark();
})();
