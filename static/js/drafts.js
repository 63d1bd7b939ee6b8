// What somebody types and has not sent outlives the page: it is kept in this tab, for this person and place, until it is
// sent. A form says whose it is, and of which round: data-draft.
"use strict";
(() => {
  const FIELDS = "input[type=number][name], input.input[name], textarea[name]";
  const fields = (form) => [...form.querySelectorAll(FIELDS)];
  const key = (form) => `draft:${form.action}:${form.dataset.draft}`;
  const store = (act) => {
    try {
      return act(sessionStorage);
    } catch {
      return null; // a browser that keeps nothing: the page is as good as without this file
    }
  };
  const keep = (form) => {
    const typed = fields(form).map((field) => [field.name, field.value]);
    const differs = fields(form).some((field) => field.value !== field.defaultValue);
    store((kept) => (differs || kept.getItem(key(form))) && kept.setItem(key(form), JSON.stringify(typed)));
  };
  const restore = (form) => {
    form.dataset.kept = "1";
    const typed = store((kept) => JSON.parse(kept.getItem(key(form)) || "null"));
    const places = new Map(fields(form).map((field) => [field.name, field]));
    const found = (typed || []).filter(([name, value]) => places.has(name) && places.get(name).value !== value);
    if (!found.length) return;
    for (const [name, value] of found) places.get(name).value = value;
    form.dispatchEvent(new Event("change", { bubbles: true }));
    for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    const words = Object.assign(document.createElement("p"), { className: "dim small draft-note", textContent: "Kept from before; not sent yet." });
    (form.querySelector(".actions") || form.lastElementChild).before(words);
  };
  const restoreAll = () => document.querySelectorAll("form[data-draft]:not([data-kept])").forEach(restore);
  const changed = (event) => {
    const form = event.target.closest?.("form[data-draft][data-kept]");
    if (form) keep(form);
  };
  for (const name of ["input", "change", "ballot:changed"]) document.addEventListener(name, changed);

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    const elt = requestConfig.elt;
    if (!elt.matches("form[data-draft]") || xhr.status !== 200 || requestConfig.formData.has("preview")) return;
    store((kept) => kept.removeItem(key(elt)));
    delete elt.dataset.kept; // what it still says on its way out is sent
  });
  document.addEventListener("htmx:afterSettle", restoreAll);
  restoreAll();
})();
