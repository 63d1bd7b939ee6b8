// Runs before the first paint: the kept theme, and the mark that scripts are here.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const kept = () => {
    try {
      return localStorage.getItem("theme");
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
      return null; // storage is switched off: the system's theme it is
    }
  };
  const keep = (theme) => {
    try {
      theme ? localStorage.setItem("theme", theme) : localStorage.removeItem("theme");
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
    }
  };
  const order = ["", "light", "dark"];
  const words = { "": "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
  const apply = (theme) => {
    theme ? root.setAttribute("data-theme", theme) : root.removeAttribute("data-theme");
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.setAttribute("aria-label", words[theme]);
      button.title = words[theme];
      for (const icon of button.querySelectorAll("[data-for-theme]")) icon.toggleAttribute("hidden", icon.dataset.forTheme !== theme);
    }
  };
  let theme = order.includes(kept()) ? kept() : "";
  apply(theme);
  document.addEventListener("DOMContentLoaded", () => apply(theme));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    theme = order[(order.indexOf(theme) + 1) % order.length];
    keep(theme);
    apply(theme);
    document.dispatchEvent(new CustomEvent("theme:changed"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme:changed")));
})();
