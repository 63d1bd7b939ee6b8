// Ctrl-K or Cmd-K: to a page, a place on this page or a session, by a part of its name.
"use strict";
(() => {
  const dialog = document.getElementById("jump");
  if (!dialog) return;
  const [text, places, sessions] = ["jump-text", "jump-places", "jump-sessions"].map((id) => document.getElementById(id));

  const known = () => {
    const pages = [...document.querySelectorAll("header nav a, .foot a")].map((link) => [link.textContent.trim(), link.href]);
    const headings = [...document.querySelectorAll("main :is(h1, h2)[id], main [id] > h2")]
      .filter((each) => each.checkVisibility())
      .map((each) => [each.textContent.trim(), `#${each.id || each.parentElement.id}`]);
    return [...headings, ...pages];
  };
  const item = ([words, href]) => {
    const link = Object.assign(document.createElement("a"), { textContent: words, href });
    const row = document.createElement("li");
    row.append(link);
    return row;
  };
  const fill = () => {
    const wanted = text.value.trim().toLowerCase();
    places.replaceChildren(...known().filter(([words]) => words.toLowerCase().includes(wanted)).slice(0, 12).map(item));
  };
  const links = () => [...dialog.querySelectorAll("li a")];

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      text.value = "";
      sessions.replaceChildren();
      fill();
      dialog.showModal();
    }
  });
  text.addEventListener("input", fill);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") dialog.close(); // a search field would keep the first press to empty itself
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = links();
    if (step && all.length) {
      event.preventDefault();
      const next = all.indexOf(document.activeElement) + step;
      next < 0 ? text.focus() : all[Math.min(next, all.length - 1)].focus();
    } else if (event.key === "Enter" && document.activeElement === text && all.length) {
      event.preventDefault();
      all[0].click();
    }
  });
})();
