// "Print" opens the browser's own dialog; a link to #print opens it with the page.
"use strict";
(() => {
  document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));
  if (location.hash === "#print") window.print();
})();
