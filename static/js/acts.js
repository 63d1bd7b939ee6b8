// Acts rest on what their author saw. What was pushed counts as seen once it has stood on the page for a moment; and who
// is waited for is told when a quarter of the time is left.
"use strict";
(() => {
  const READ_MS = 1000;
  const sent = document.querySelector('meta[name="server-now"]');
  const skew = sent ? Number(sent.content) * 1000 - Date.now() : 0;

  document.addEventListener("htmx:wsAfterMessage", () => {
    const seq = Number(document.getElementById("seq")?.dataset.seq || 0);
    setTimeout(() => {
      for (const field of document.querySelectorAll("input[data-seen]")) field.value = Math.max(seq, Number(field.value));
    }, READ_MS);
  });

  const warn = () => {
    const note = document.getElementById("running-out");
    const strip = document.querySelector("[data-waiting-for]");
    if (!note || !strip) return;
    const mine = strip.dataset.waitingFor.split(" ").includes(document.body.dataset.seat);
    note.hidden = !(mine && strip.dataset.warns && Number(strip.dataset.warns) <= Date.now() + skew);
  };
  warn();
  setInterval(warn, 1000);
  document.addEventListener("htmx:wsAfterMessage", warn);
})();
