// What htmx sends goes under the sign-in of this moment. What did not get through says so where it was pressed, and what
// was typed stays; the focus stays in what was swapped.
"use strict";
(() => {
  // Signing in again gives a new token; the page was made with the old one.
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1];
    if (!token) return;
    event.detail.headers["X-CSRFToken"] = token;
    if (event.detail.parameters.csrfmiddlewaretoken) event.detail.parameters.csrfmiddlewaretoken = token;
  });

  const KEPT = "What you typed is still here";
  const template = document.getElementById("not-sent");
  const notes = new Map(); // of the element that sent
  const tell = (element, words, status) => {
    const note = template.content.firstElementChild.cloneNode(true);
    const place = note.querySelector("div");
    place.textContent = words;
    if (status === 401) place.append(" ", Object.assign(document.createElement("a"), { href: template.dataset.signIn, target: "_blank", textContent: "Sign in" }));
    notes.get(element)?.remove();
    notes.set(element, note);
    const dialog = element.closest("dialog[open]") || document.querySelector("dialog[open]");
    if (dialog) dialog.lastElementChild.before(note);
    else document.querySelector(".toasts").append(note);
  };
  const isPress = ({ elt, triggeringEvent }) => elt === document.body || triggeringEvent?.isTrusted;
  const failed = (event, words) => {
    const { xhr, requestConfig } = event.detail;
    const elt = requestConfig.elt;
    if (isPress(requestConfig)) tell(elt, words, xhr.status);
    else if (elt.dataset.unknown) elt.textContent = elt.dataset.unknown; // what stood there says nothing of what is typed now
  };
  const unanswered = (event) =>
    failed(
      event,
      navigator.onLine
        ? `The server did not answer, so this may not have arrived. ${KEPT}: press again in a moment.`
        : `You are offline, so this was not sent. ${KEPT}: press again when you are back.`,
    );
  document.addEventListener("htmx:sendError", unanswered);
  document.addEventListener("htmx:timeout", unanswered);
  document.addEventListener("htmx:responseError", (event) => {
    const { status, responseText } = event.detail.xhr;
    failed(event, status === 401 ? responseText : `The server failed (error ${status}) and confirmed nothing. ${KEPT}: press again, or look first whether it took effect.`);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status === 0 || xhr.status === 401 || xhr.status >= 500) return;
    notes.get(requestConfig.elt)?.remove();
    notes.delete(requestConfig.elt);
  });

  // A form that is swapped takes the focus with it: it goes to what the answer says.
  let focused = false;
  document.addEventListener("htmx:beforeSwap", (event) => (focused = event.detail.target.contains(document.activeElement)));
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!focused || document.activeElement !== document.body) return;
    focused = false;
    const place = event.target;
    const note = place.matches(".note") ? place : place.querySelector(".note, h2") || place.closest(".note") || place;
    if (!note.hasAttribute("tabindex")) note.setAttribute("tabindex", "-1");
    note.focus({ preventScroll: true });
  });
})();
