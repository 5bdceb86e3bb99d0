// The agent's desk: holds the cards the server told of, draws them, and says when it cannot hear the server.

import { draw } from "./card.js";
import { calm, h, icon, lasted, renew, say } from "./page.js";
import { line } from "./socket.js";

const NOTICE = 8_000;
const table = document.getElementById("cards");
const empty = document.getElementById("no-cards");
const notices = document.getElementById("notices");
const recent = document.getElementById("recent");
const pill = document.getElementById("connection");
const title = document.title;

const cards = new Map();
const chosen = new Map();
let ahead = 0; // how far the server's clock is ahead of this one, seconds

const tick = () => {
  const now = Date.now() / 1000 + ahead;
  for (const clock of table.querySelectorAll("[data-since]")) clock.textContent = lasted(now - clock.dataset.since);
};

const choose = (call, id) => {
  chosen.set(call, id);
  show(cards.get(call));
};

function show(card) {
  cards.set(card.call, card);
  const old = table.querySelector(`[data-call="${CSS.escape(card.call)}"]`);
  const kept = old?.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
  const fresh = draw(card, chosen.get(card.call), choose);
  if (old) old.replaceWith(fresh);
  else {
    fresh.classList.add("pop-new");
    table.append(fresh);
  }
  if (kept) fresh.querySelector(`[data-keep="${CSS.escape(kept)}"]`)?.focus();
  tick();
}

function drop(call) {
  cards.delete(call);
  chosen.delete(call);
  table.querySelector(`[data-call="${CSS.escape(call)}"]`)?.remove();
}

function settle() {
  empty.hidden = cards.size > 0;
  const ringing = [...cards.values()].find((card) => card.state === "ringing");
  document.title = ringing ? `☎ ${ringing.caller.display || say("withheld")} · ${title}` : title;
}

function notice(card, why) {
  const box = h("div", { class: "desk-notice", role: "status" }, icon("phone_off", 18),
    h("span", {}, `${card.caller.display || say("withheld")} · ${say(`why.${why}`)}`));
  notices.prepend(box);
  setTimeout(() => box.remove(), NOTICE);
}

// Twice: the call's row is there at once, its ticket and recording a moment later.
const renewRecent = () => renew(recent);
const renewSoon = calm(renewRecent, 300);
const renewLater = calm(renewRecent, 4_000);

function heard(message) {
  switch (message.type) {
    case "snapshot": {
      ahead = message.now - Date.now() / 1000;
      const told = new Set(message.cards.map((card) => card.call));
      for (const call of [...cards.keys()]) if (!told.has(call)) drop(call);
      for (const card of message.cards) {
        if (JSON.stringify(cards.get(card.call)) !== JSON.stringify(card)) show(card);
      }
      break;
    }
    case "card":
      show(message.card);
      break;
    case "gone": {
      const card = cards.get(message.call);
      if (card) notice(card, message.why);
      drop(message.call);
      renewSoon();
      renewLater();
      break;
    }
    default: // a newer server may say more
      return;
  }
  settle();
}

function stands(state, wait) {
  pill.dataset.state = state;
  pill.querySelector("span").textContent = state === "off" ? say("line.off", { seconds: Math.ceil(wait / 1000) }) : say(`line.${state}`);
  document.body.classList.toggle("desk-deaf", state !== "on");
  document.getElementById("deaf").hidden = state === "on";
  document.getElementById("deaf-text").textContent = say(state === "out" ? "deaf.out" : "deaf.off");
}

setInterval(tick, 500);
line("/ws", heard, stands);
