// The quadratic ballot: v votes cost v squared of 100 credits; on a phone it comes up as a sheet. Without this file the
// form is plain number fields.
"use strict";
(() => {
  const square = (votes) => votes * votes;
  const votesWord = (votes) => `${votes < 0 ? `\u2212${-votes}` : votes} vote${Math.abs(votes) === 1 ? "" : "s"}`;

  const fill = (box, count, columns) => {
    box.style.gridTemplateColumns = columns ? `repeat(${columns}, max-content)` : "";
    while (box.childElementCount > count) box.lastElementChild.remove();
    while (box.childElementCount < count) box.append(document.createElement("i"));
  };

  const start = (form) => {
    const credits = Number(form.dataset.credits || 100);
    const rows = [...form.querySelectorAll("[data-ballot-row]")].map((row) => ({
      input: row.querySelector("input[type=number]"),
      cost: row.querySelector("[data-cost]"),
      square: row.querySelector("[data-square]"),
      steps: [...row.querySelectorAll("[data-step]")],
    }));
    const left = form.querySelector("[data-left]");
    const blocks = form.querySelector("[data-credits-blocks]");
    const undo = form.querySelector("[data-undo]");
    const reset = form.querySelector("[data-reset]");
    const past = [];

    const typed = (row) => (row.input.validity.badInput ? NaN : Number(row.input.value)); // empty is 0
    const votes = (row) => (Number.isInteger(typed(row)) ? typed(row) : 0);
    const spent = () => rows.reduce((sum, row) => sum + square(votes(row)), 0);
    const all = () => rows.map((row) => row.input.value);
    let last = all();

    const costWords = (row, remaining) => {
      if (!Number.isInteger(typed(row))) return "votes are whole numbers: this one counts for nothing yet";
      const now = votes(row);
      const direction = now < 0 ? -1 : 1;
      const more = square(now + direction) - square(now);
      const next = `${direction > 0 ? "+1" : "\u22121"} more costs ${more}`;
      if (now === 0) return "no opinion; one vote costs 1";
      return `${votesWord(now)} ${Math.abs(now) === 1 ? "costs" : "cost"} ${square(now)}, ${more > remaining ? `${next}, which is not left` : next}`;
    };
    const paint = () => {
      const remaining = credits - spent();
      left.value = remaining >= 0 ? `${remaining} of ${credits} left` : `${-remaining} over ${credits}`;
      left.classList.toggle("over", remaining < 0);
      fill(blocks, credits);
      [...blocks.children].forEach((block, index) => block.classList.toggle("spent", index >= remaining));
      for (const row of rows) {
        const now = votes(row);
        row.cost.value = costWords(row, remaining);
        fill(row.square, Math.min(square(now), credits), Math.min(Math.abs(now), 10));
        row.square.classList.toggle("negative", now < 0);
        for (const step of row.steps) step.disabled = square(now + Number(step.dataset.step)) - square(now) > remaining;
        row.input.setCustomValidity(remaining < 0 ? `This ballot costs ${credits - remaining}; there are ${credits} credits. Take ${-remaining} off.` : "");
      }
      undo.disabled = past.length === 0;
      reset.disabled = rows.every((row) => votes(row) === 0);
      form.dispatchEvent(new CustomEvent("ballot:changed", { bubbles: true }));
    };
    const remember = () => {
      const now = all();
      if (now.join() === last.join()) return;
      past.push(last);
      last = now;
      form.dataset.begun = "1";
    };
    const put = (values) => rows.forEach((row, index) => (row.input.value = values[index]));

    form.addEventListener("click", (event) => {
      const step = event.target.closest("[data-step]");
      const row = step && rows.find((candidate) => candidate.steps.includes(step));
      if (row) row.input.value = votes(row) + Number(step.dataset.step);
      else if (event.target.closest("[data-reset]")) put(rows.map(() => "0"));
      else if (event.target.closest("[data-undo]") && past.length) put((last = past.pop()));
      else return;
      remember();
      paint();
    });
    form.addEventListener("input", paint);
    form.addEventListener("change", () => {
      for (const row of rows) if (Number.isInteger(typed(row))) row.input.value = votes(row);
      remember();
      paint();
    });
    paint();
  };

  const startAll = () => {
    for (const form of document.querySelectorAll("form[data-ballot]:not([data-started])")) {
      form.dataset.started = "1";
      start(form);
    }
  };
  startAll();
  document.addEventListener("htmx:afterSettle", startAll);

  // On a phone: a bar at the edge says what is left and brings the ballot up, from whatever tab is open.
  const ballot = document.getElementById("ballot");
  if (!ballot) return;
  const make = (tag, attributes, ...inside) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...inside);
    return element;
  };
  const count = make("span", { className: "n" });
  const opener = make("button", { className: "button primary", type: "button", id: "ballot-open" }, "My ballot");
  opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-controls", "ballot");
  const bar = make("div", { className: "ballot-bar", hidden: true }, count, opener);
  const closer = make("button", { className: "button quiet small sheet-close", type: "button" }, "Close");
  ballot.querySelector("h2").after(closer);
  document.getElementById("main").append(bar);

  let tab = null; // the one to go back to
  const room = ballot.closest(".room");
  // What lies behind the sheet takes neither keys nor presses; what is said and announced stays.
  let behind = [];
  const cover = () => {
    for (let part = ballot; part !== document.body; part = part.parentElement) {
      const beside = [...part.parentElement.children].filter((each) => each !== part && !each.inert);
      behind.push(...beside.filter((each) => !each.matches("script, dialog, .toasts, #announcer")));
    }
    for (const each of behind) each.inert = true;
  };
  const uncover = () => {
    for (const each of behind) each.inert = false;
    behind = [];
  };
  const showTab = (name) => document.querySelector(`.tabs [data-show="${name}"]`)?.click();
  const follow = () => {
    const left = ballot.querySelector("[data-left]");
    count.textContent = left ? left.value : "";
    bar.hidden = !left || ballot.classList.contains("sheet") || !document.querySelector("#verdict[hidden]");
  };
  const open = () => {
    tab = room.dataset.tab;
    showTab("tally");
    ballot.classList.add("sheet");
    cover();
    opener.setAttribute("aria-expanded", "true");
    (ballot.querySelector("input[type=number]") || closer).focus();
    follow();
  };
  const close = () => {
    if (!ballot.classList.contains("sheet")) return;
    ballot.classList.remove("sheet");
    uncover();
    opener.setAttribute("aria-expanded", "false");
    if (tab) showTab(tab);
    follow();
    opener.focus();
  };
  opener.addEventListener("click", open);
  closer.addEventListener("click", close);
  ballot.addEventListener("keydown", (event) => event.key === "Escape" && close());
  matchMedia("(max-width: 700px)").addEventListener("change", close);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    if (target.id === "said" && ballot.contains(requestConfig.elt)) close(); // it is said behind the sheet
  });
  document.addEventListener("htmx:wsAfterMessage", () => document.querySelector("#verdict[hidden]") || close());
  document.addEventListener("ballot:changed", follow);
  document.addEventListener("htmx:afterSettle", follow);
  document.addEventListener("htmx:wsAfterMessage", follow);
  follow();
})();
