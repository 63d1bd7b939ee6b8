// What every page does: clocks that count, keys, tabs, examples, copying, messages that can be put away.
"use strict";
(() => {
  const sent = document.querySelector('meta[name="server-now"]');
  const skew = sent ? Number(sent.content) * 1000 - Date.now() : 0; // the server's clock is the one that closes tallies
  const pad = (number) => String(number).padStart(2, "0");
  const clock = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
  };
  const write = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const tick = () => {
    const now = Date.now() + skew;
    for (const time of document.querySelectorAll("[data-due]")) {
      const left = (Number(time.dataset.due) - now) / 1000;
      write(time, left > 0 ? `${clock(left)} left` : "time is up");
    }
    for (const time of document.querySelectorAll("[data-since]")) write(time, clock((now - Number(time.dataset.since)) / 1000));
    for (const time of document.querySelectorAll("[data-local-time]")) {
      write(time, new Date(time.dateTime).toLocaleTimeString([], { hour12: false }));
      time.removeAttribute("data-local-time");
    }
  };
  // The title of the tab says how long what waits for you still waits.
  const LEFT = /^((?:\(\d+\) )?(?:Your turn - )?)(?:\d+:)?\d+:\d\d left - /;
  const mine = () => {
    const waited = document.querySelector("[data-waiting-for]")?.dataset.waitingFor.split(" ").includes(document.body.dataset.seat);
    return document.querySelectorAll(waited ? "[data-waiting-for] [data-due], [data-your-turn] [data-due]" : "[data-your-turn] [data-due]");
  };
  const entitle = () => {
    const now = Date.now() + skew;
    const left = [...mine()].map((time) => (Number(time.dataset.due) - now) / 1000).filter((seconds) => seconds > 0);
    const plain = document.title.replace(LEFT, "$1");
    const title = left.length ? plain.replace(/^((?:\(\d+\) )?(?:Your turn - )?)/, (head) => `${head}${clock(Math.min(...left))} left - `) : plain;
    if (document.title !== title) document.title = title;
  };
  tick();
  setInterval(() => (tick(), entitle()), 1000); // not at once: others keep the title as it is at first
  document.addEventListener("htmx:oobAfterSwap", tick);
  document.addEventListener("htmx:afterSettle", entitle);

  // Two fields for one number: a slider and its text.
  document.addEventListener("input", (event) => {
    const other = document.getElementById(event.target.dataset?.mirror);
    if (other) other.value = event.target.type === "range" ? String(Number(Number(event.target.value).toPrecision(3))) : event.target.value;
    for (const field of [event.target, other]) {
      if (field?.type === "range") field.setAttribute("aria-valuetext", `$${Number(Number(field.value).toPrecision(3))}`);
    }
  });
  // A link that sets a field, as if its value had been typed.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-sets]");
    const field = link && document.getElementById(link.dataset.sets);
    if (!field) return;
    event.preventDefault();
    field.value = link.dataset.to;
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
  });

  const keys = document.getElementById("keys");
  const editing = (target) => target.closest("input, textarea, select, [contenteditable]");
  const jump = { g: "#proposals", t: "#tally", b: "#ballot", r: "#rounds", e: "#feed" };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "enter" && editing(event.target)) {
      event.target.form?.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || editing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "?" && keys) {
      event.preventDefault();
      keys.showModal();
      return;
    }
    if (event.key === "n") {
      document.querySelector("[data-key-n]")?.click();
      return;
    }
    const place = jump[event.key] && document.querySelector(jump[event.key]);
    if (!place) return;
    event.preventDefault();
    show(place.closest("[data-column]")?.dataset.column);
    place.scrollIntoView({ block: "start" });
    if (!place.hasAttribute("tabindex")) place.setAttribute("tabindex", "-1");
    place.focus({ preventScroll: true });
  });

  // On a phone the room's columns are tabs; without scripts they stand one below the other and the tabs are links.
  const room = document.querySelector(".room[data-tab]");
  const show = (column) => {
    if (!room || !column) return;
    room.dataset.tab = column;
    for (const tab of document.querySelectorAll(".tabs [data-show]")) tab.setAttribute("aria-current", tab.dataset.show === column ? "true" : "false");
    document.dispatchEvent(new CustomEvent("charts:resize"));
  };
  const strip = document.querySelector(".strip");
  const measure = () => document.documentElement.style.setProperty("--strip-height", `${strip.offsetHeight}px`);
  if (strip) new ResizeObserver(measure).observe(strip);

  // A link to a place in a hidden column or a closed fold opens both.
  const reveal = () => {
    const place = document.getElementById(location.hash.slice(1));
    if (!place) return;
    show(place.closest("[data-column]")?.dataset.column);
    for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    place.scrollIntoView({ block: "start" });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash && !link.closest(".tabs")) reveal(); // the address will not change
  });
  addEventListener("hashchange", reveal);
  reveal();

  document.addEventListener("click", async (event) => {
    const target = event.target.closest("[data-show], [data-open], [data-close], [data-example], [data-copy]");
    if (!target) return;
    if (target.dataset.show) {
      show(target.dataset.show);
      if (target.closest(".tabs")) {
        event.preventDefault();
        if (room.getBoundingClientRect().top < 0) room.scrollIntoView();
      }
    } else if (target.dataset.open) document.getElementById(target.dataset.open)?.showModal();
    else if ("close" in target.dataset) {
      const dialog = target.closest("dialog");
      dialog ? dialog.close() : target.closest(".note").remove();
    } else if (target.dataset.example) {
      event.preventDefault();
      const box = document.querySelector("textarea[name=task]");
      box.value = target.dataset.example;
      box.focus();
    } else if (target.dataset.copy) {
      await navigator.clipboard.writeText(target.dataset.copy);
      const word = target.querySelector("span") || target;
      const before = word.textContent;
      word.textContent = "Copied";
      setTimeout(() => (word.textContent = before), 1500);
    }
  });

  // A word's note stands beside it, on a press or when the pointer rests on it.
  let shownBy, resting;
  const note = (word) => document.getElementById(word.getAttribute("popovertarget"));
  const place = (word) => {
    const [box, own] = [word.getBoundingClientRect(), note(word).getBoundingClientRect()];
    const below = box.bottom + 6 + own.height < innerHeight;
    note(word).style.left = `${Math.max(8, Math.min(box.left, innerWidth - own.width - 8))}px`;
    note(word).style.top = `${below ? box.bottom + 6 : Math.max(8, box.top - own.height - 6)}px`;
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.(".term-note") && event.newState === "open" && shownBy?.isConnected) place(shownBy);
  }, true);
  document.addEventListener("click", (event) => (shownBy = event.target.closest?.(".term") || shownBy), true);
  document.addEventListener("pointerover", (event) => {
    const word = event.target.closest?.(".term");
    clearTimeout(resting);
    if (!word || event.pointerType !== "mouse" || note(word).matches(":popover-open")) return;
    resting = setTimeout(() => {
      shownBy = word;
      if (word.isConnected) note(word).showPopover();
    }, 350);
    word.addEventListener("pointerleave", () => (clearTimeout(resting), note(word)?.hidePopover()), { once: true });
  });

  // A form sends once: a second press while the first is on its way does nothing, and the button looks so.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-disabled", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
    }
  });
})();
