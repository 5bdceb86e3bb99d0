// The switch of one's own state: what it is and since when, and what it can become. Calls come first: who talks talks.

import { closeMenu, openMenu } from "./menus.js";
import { h, lasted, me, say } from "./page.js";
import { ask } from "./server.js";
import { toast } from "./toasts.js";

const menu = document.getElementById("state");
const name = document.getElementById("state-name");
const time = document.getElementById("state-time");
const KEPT = "state"; // in the tab's storage: so that a new page does not begin with a gap

const cards = new Map(); // by call: {state, held, since}
let own = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
let may = { may_pause: false, reasons: [] };
let told = false; // whether the line has said how the agent stands: that is never older than an answer
let ahead = 0; // how far the server's clock is ahead of this one, seconds

/** What is shown: a call, else the agent's own state. */
function shown() {
  const all = [...cards.values()];
  const talk = all.find((card) => card.state === "talking");
  const call = talk ?? all.find((card) => card.state === "ringing");
  if (call) return { state: call.held ? "held" : call.state, since: call.since, until: null, reason: null };
  return own;
}

function words(state) {
  if (state.state === "paused" && state.reason) return state.reason;
  return say(`state.${state.state}`);
}

function tick() {
  const now = shown();
  if (!now) return;
  const clock = Date.now() / 1000 + ahead;
  const counts = now.state === "wrap_up" && now.until !== null ? Math.ceil(Math.max(0, now.until - clock)) : now.since === null ? null : clock - now.since;
  time.textContent = counts === null ? "" : lasted(counts);
}

function paint() {
  const now = shown();
  if (!now) return;
  menu.dataset.state = now.state;
  name.textContent = words(now);
  name.title = words(now);
  for (const item of menu.querySelectorAll("[data-to]")) item.setAttribute("aria-pressed", String(isNow(item)));
  tick();
}

const isNow = (item) => own !== null && item.dataset.to === own.state && (item.dataset.reason ?? null) === (own.reason ?? null);

function items() {
  const item = (state, text, reason = null) => h("button", {
    type: "button", class: "menu-item", "data-to": state, "data-reason": reason, "aria-pressed": "false", onclick: () => change(state, reason),
  }, h("span", { class: "state-dot", "data-state": state }), text);
  const pauses = may.may_pause ? [...(may.reasons.length ? may.reasons : [null])].map((reason) => item("paused", reason ?? say("state.plain_pause"), reason)) : [];
  return [
    h("div", { class: "menu-part" }, item("ready", say("state.ready")), item("wrap_up", say("state.wrap_up"))),
    h("div", { class: "menu-part" }, pauses.length ? pauses : h("div", { class: "p-2 small text-secondary" }, say("state.no_pause"))),
  ];
}

async function change(state, reason) {
  closeMenu(menu);
  const answer = await ask("POST", "/api/desk/state", { state, reason });
  if (answer.ok) stand(answer.data);
  else toast(say("state.failed"), "bad");
}

function stand(state) {
  if (state === null) return;
  own = state;
  sessionStorage.setItem(KEPT, JSON.stringify(state));
  paint();
}

/** What `GET /api/desk` said. */
export function deskSays(desk) {
  if (!menu) return;
  may = desk;
  ahead = desk.now - Date.now() / 1000;
  menu.querySelector(".menu-panel").replaceChildren(...items());
  if (told) paint();
  else stand(desk.state);
}

/** A message of the server. */
export function heardOfState(message) {
  if (!menu) return;
  if (message.type === "snapshot") {
    ahead = message.now - Date.now() / 1000;
    cards.clear();
    for (const card of message.cards) cards.set(card.call, card);
  } else if (message.type === "card") cards.set(message.card.call, message.card);
  else if (message.type === "gone") cards.delete(message.call);
  else if (message.type === "state") {
    told = true;
    stand(message.state);
    return;
  } else return;
  paint();
}

/** Open the switch by keyboard. */
export function chooseState() {
  if (!menu) return false;
  openMenu(menu);
  return true;
}

/** What the palette offers: [words, action]. */
export function stateCommands() {
  if (!menu) return [];
  const to = (state, reason = null) => [say("state.to", { state: reason ?? say(`state.${state}`) }), () => change(state, reason)];
  const pauses = may.may_pause ? (may.reasons.length ? may.reasons.map((reason) => to("paused", reason)) : [to("paused")]) : [];
  return [to("ready"), ...pauses, to("wrap_up")];
}

if (menu) {
  if (own !== null && me.seat !== null) paint();
  setInterval(tick, 1_000);
}
