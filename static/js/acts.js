// Acts rest on what their author saw. What was pushed counts as seen once it has stood on the page for a moment; and who
// is waited for is told when a quarter of the time is left. The box that overturns a verdict is each person's own, so it is
// asked for again once the verdict says that somebody did something there, unless words are typed in it.
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
    const [mine, voted] = [strip.dataset.waitingFor, strip.dataset.voted].map((seats) => seats.split(" ").includes(document.body.dataset.seat));
    note.hidden = !(mine && !voted && strip.dataset.warns && Number(strip.dataset.warns) <= Date.now() + skew);
  };
  warn();
  setInterval(warn, 1000);
  document.addEventListener("htmx:wsAfterMessage", warn);

  // What waited for a round is a candidate there once that round is open: its card says so.
  document.addEventListener("htmx:wsAfterMessage", () => {
    const waits = document.getElementById("own-waiting");
    if (waits?.dataset.round && document.getElementById(`round-${waits.dataset.round}`)) waits.replaceChildren();
  });

  document.addEventListener("htmx:wsAfterMessage", () => {
    const box = document.getElementById("overturn");
    const told = document.getElementById("verdict")?.dataset.overturn;
    if (!box || box.dataset.overturn === told || box.querySelector("textarea")?.value) return;
    htmx.trigger(box, "overturned");
  });
})();
