// The live page: the socket's address and state, parts that keep what a person opened, whose turn it is, what is read aloud.
"use strict";
(() => {
  const seqElement = () => document.getElementById("seq"); // <data id="seq" data-seq="41" data-head="41">, itself a pushed part
  const seq = () => Number(seqElement()?.dataset.seq || 0);

  // Reconnecting says what was seen last, so nothing is missed; one socket at a time, so nothing comes twice. Each message
  // is answered: the server sends the next when this one is here.
  let current;
  htmx.createWebSocket = (url) => {
    current?.close();
    const address = new URL(url, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.searchParams.set("after", String(seq()));
    const socket = (current = new WebSocket(address));
    socket.addEventListener("message", () => socket.send("had"));
    return socket;
  };

  htmx.config.wsReconnectDelay = (retries) => Math.random() * Math.min(1000 * 2 ** retries, 8000);

  const say = (state, words) => {
    for (const place of document.querySelectorAll("[data-connection]")) {
      if (place.dataset.state === state && place.textContent === words) continue;
      place.dataset.state = state;
      place.textContent = words;
    }
  };
  let away = false; // what a socket still brings from before the network was lost does not make the page live
  const caughtUp = () => {
    if (away) return;
    const behind = Number(seqElement()?.dataset.head || 0) - seq();
    behind > 0 ? say("catching", `catching up ${behind} event${behind === 1 ? "" : "s"}`) : say("live", "live");
  };
  let refused = 0;
  let reconnect;
  document.addEventListener("htmx:wsConnecting", () => {
    if (refused || document.querySelector('[data-connection][data-state="offline"]')) say("offline", "offline: retrying");
  });
  document.addEventListener("htmx:wsOpen", (event) => {
    refused = 0;
    away = false;
    reconnect = event.detail.socketWrapper.reconnect; // the first message says how far the page is behind
  });
  // The extension retries after 1006, 1011, 1012 and 1013. Here: a server that restarts politely, and a reader that was too slow.
  const AGAIN = [1000, 1001, 1005, 4408];
  const CLOSED = { 4401: "closed: sign in again", 4403: "closed: you may no longer watch this session" };
  document.addEventListener("htmx:wsClose", (event) => {
    const { event: closed, socketWrapper } = event.detail;
    if (!event.target.isConnected || closed.target !== current) return;
    refused += 1;
    away = true;
    say("offline", CLOSED[closed.code] || "offline: retrying");
    if (AGAIN.includes(closed.code)) setTimeout(() => event.target.isConnected && socketWrapper.reconnect(), 500 + Math.random() * 1500);
  });
  addEventListener("offline", () => {
    away = true;
    say("offline", "offline: retrying");
  });
  addEventListener("online", () => refused || reconnect?.()); // a socket that slept through it may look open and be dead

  // A pushed part replaces an element; what was open, scrolled and focused inside it stays so. Things are known by id.
  const before = new Map();
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const target = event.detail.target;
    if (!target?.id) return;
    const inside = document.activeElement && target.contains(document.activeElement) ? document.activeElement.id : "";
    before.set(target.id, {
      open: new Map([...target.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open])),
      scroll: new Map([...target.querySelectorAll("[id][data-keep-scroll]")].map((box) => [box.id, [box.scrollTop, box.scrollLeft]])),
      focus: inside,
    });
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const id = event.detail.target?.id;
    const kept = before.get(id);
    if (!kept) return;
    before.delete(id);
    for (const [fold, open] of kept.open) document.getElementById(fold)?.toggleAttribute("open", open);
    for (const [box, [top, left]] of kept.scroll) Object.assign(document.getElementById(box) || {}, { scrollTop: top, scrollLeft: left });
    if (kept.focus) document.getElementById(kept.focus)?.focus({ preventScroll: true });
  });

  // Your turn: a part says which seats are waited for, the page says which seat is yours; the list says it outright.
  const title = document.title;
  const mine = () => {
    const seat = document.body.dataset.seat;
    const here = seat ? [...document.querySelectorAll("[data-waiting-for]")].filter((part) => part.dataset.waitingFor.split(" ").includes(seat)).length : 0;
    const listed = [...document.querySelectorAll("[data-your-turn]")].reduce((sum, part) => sum + Number(part.dataset.yourTurn || 0), 0);
    return here + listed;
  };
  const name = () => {
    const count = mine();
    document.title = count ? `${count > 1 ? `(${count}) ` : ""}Your turn - ${title}` : title;
    const voted = document.querySelector("[data-voted]")?.dataset.voted.split(" ").includes(document.body.dataset.seat);
    for (const call of document.querySelectorAll("[data-when-my-turn]")) call.hidden = !count || (call.dataset.whenMyTurn === "voted") !== Boolean(voted);
  };

  // Read aloud: the last sentence of [data-announce], at most one in four seconds.
  const voice = document.getElementById("announcer");
  let said = document.querySelector("[data-announce]")?.dataset.announce;
  let due = 0;
  const announce = () => {
    const words = document.querySelector("[data-announce]")?.dataset.announce;
    if (!voice || !words || words === said || due) return;
    due = setTimeout(() => {
      due = 0;
      said = document.querySelector("[data-announce]")?.dataset.announce || words;
      voice.textContent = said;
    }, 4000);
  };

  // The ballot opens by itself and follows the proposals, until somebody begins to fill it in; then there is a link.
  const ballotFits = () => {
    const link = document.getElementById("offer-link");
    const ballot = document.getElementById("ballot-form");
    const round = ballot?.querySelector("form.ballot input[name=round]")?.value;
    const seats = [...(ballot?.querySelectorAll("input[name^=votes-]") || [])].map((input) => input.name.slice("votes-".length));
    const [running, all] = link?.dataset.offer.split(":") || [];
    const weighable = all?.split(",").filter((seat) => seat !== document.body.dataset.seat); // nobody weighs their own proposal
    const fits = !link || (round === running && String(seats) === String(weighable));
    document.getElementById("ballot")?.toggleAttribute("data-fits", fits);
    return fits;
  };
  const openBallot = () => {
    if (ballotFits() || document.querySelector("#ballot-form :is([data-begun], [data-ballot-row]:focus-within)")) return;
    htmx.trigger(document.getElementById("offer-link"), "click");
  };
  document.addEventListener("htmx:afterSettle", ballotFits);

  document.addEventListener("htmx:wsAfterMessage", () => {
    caughtUp();
    name();
    openBallot();
    announce();
  });
  name();
  ballotFits();
})();
