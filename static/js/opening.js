// The forms that open a session: a tick names the panel, the broker's choice takes the ticks back, and the estimates beside
// the policies follow what is typed.
"use strict";
(() => {
  const PAUSE_MS = 300;
  const panel = document.querySelector("[data-panel]");
  panel?.addEventListener("change", (event) => {
    const named = panel.querySelector('[name="panel"][value="named"]');
    if (event.target.name === "models") named.checked = true;
    else if (event.target.value === "broker") panel.querySelectorAll('[name="models"]').forEach((box) => (box.checked = box.defaultChecked));
  });

  const length = document.getElementById("task-chars");
  if (!length) return;
  const task = document.querySelector("textarea[name=task]");
  let later;
  const foresee = () => {
    clearTimeout(later);
    later = setTimeout(() => htmx.trigger(length.form, "foresee"), PAUSE_MS);
  };
  task.addEventListener("change", () => {
    length.value = task.value.trim().length;
    foresee();
  });
  length.form.addEventListener("change", (event) => event.target.matches("[data-foresee]") && foresee());
})();
