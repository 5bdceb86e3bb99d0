// The agent's desk: holds the cards the server told of, has them drawn, and says when it cannot hear the server.

import { draw, known, nameOf } from "./card.js";
import { teach } from "./desk_keys.js";
import { CHOICES } from "./fields.js";
import { work } from "./form.js";
import { dial, gone, notice } from "./notices.js";
import { calm, h, lasted, renew, say } from "./page.js";
import { patch } from "./patch.js";
import { recalled, reopened } from "./reopened.js";
import { ask, askDesk, callPath } from "./server.js";
import { line } from "./socket.js";
import { stranger } from "./stranger.js";
import { afterBar } from "./wrapup.js";

const PATIENCE = 1_500; // milliseconds in which the server says that there is time for the rest of the work
const table = document.getElementById("cards");
const empty = document.getElementById("no-cards");
const desk = document.querySelector(".desk");
const recent = document.getElementById("recent");
const voice = document.getElementById("voice");
const title = document.title;

const entries = new Map(); // by call: {card, element, form, stranger, bar, after, picked}
let ahead = 0; // how far the server's clock is ahead of this one, seconds
let mine = null; // the agent's own state
let told = false; // whether the socket has said it
let may = { may_dial: false };
const done = new Set(); // calls whose work was said to be done, maybe before the server said that there is time for it

const clock = () => Date.now() / 1000 + ahead;
const chosen = (entry) => (entry.picked === undefined ? entry.card.chosen?.id ?? null : entry.picked);
const typing = (entry) => entry.element.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
const wrapping = (call) => mine !== null && mine.call === call && mine.state !== "ready"; // in a pause, too

function tick() {
  const now = clock();
  for (const time of table.querySelectorAll("[data-since]")) time.textContent = lasted(now - time.dataset.since);
  for (const { bar } of entries.values()) bar?.tick(now);
}

/** Draw an entry: what is there stays the same elements, so nobody loses their place. */
function show(entry) {
  const { card } = entry;
  const fresh = entry.element === null;
  const strange = card.match !== null && !card.match.customers.length && card.match.problem === null && card.caller.kind !== "withheld";
  if (strange || entry.denied) entry.stranger ??= stranger(card, strange, () => (entry.after ? recall(entry) : show(entry)));
  const asks = strange || entry.denied || Boolean(entry.stranger?.typed());
  const drawn = draw(card, { chosen: chosen(entry), after: entry.after, stranger: asks, denied: entry.denied, dial: entry.after && may.may_dial, work: entry.form !== null, fresh });
  const held = !fresh && entry.element.contains(document.activeElement) ? document.activeElement : null;
  if (fresh) {
    entry.element = drawn;
    table.append(drawn);
  } else patch(entry.element, drawn);
  mount(entry, ".pop-work", entry.form?.element);
  mount(entry, ".pop-stranger", entry.stranger?.element);
  mount(entry, ".pop-after-bar", entry.bar?.element);
  if (held && document.activeElement !== held) (held.isConnected ? held : entry.element).focus({ preventScroll: true });
  tick();
}

function mount(entry, place, element) {
  const box = entry.element.querySelector(place);
  if (box && element && element.parentElement !== box) box.replaceChildren(element);
}

/** A card as the server tells it. */
function take(card) {
  const entry = entries.get(card.call) ?? { card, element: null, form: null, stranger: null, bar: null, after: false, denied: false, picked: undefined };
  const before = entries.has(card.call) ? nameOf(entry.card) : null;
  entries.set(card.call, entry);
  done.delete(card.call);
  if (card.chosen) entry.echo = null;
  else if (entry.echo) card = { ...card, chosen: entry.echo }; // told before the desk had heard of the choice
  if (entry.picked !== undefined && (card.chosen?.id ?? null) === entry.picked) entry.picked = undefined;
  if (card.chosen && card.chosen.id !== entry.card.chosen?.id) entry.denied = false;
  entry.card = card;
  entry.after = false;
  if (card.state === "talking" && card.ticket && entry.form?.id !== card.ticket.id) {
    entry.form?.close();
    entry.form = work(card.call, card.ticket.id, card.ticket.number, card.ticket.joined);
  }
  const isNew = entry.element === null;
  show(entry);
  if (card.state !== "ringing") return;
  if (isNew && ![...entries.values()].some(typing)) entry.element.scrollIntoView({ block: "nearest" });
  if (before !== nameOf(card)) voice.textContent = say("rings", { who: [nameOf(card), known(card)?.vip ? "VIP" : null].filter(Boolean).join(" ") });
}

/** The call is over for this agent: its card goes, unless there is work left on it. */
function leave(entry, why) {
  if (why) gone(entry.card, why, may.may_dial);
  const rest = entry.card.state === "talking" && entry.form !== null;
  if (rest) afterwards(entry);
  else drop(entry);
}

function afterwards(entry) {
  entry.after = true;
  entry.bar ??= afterBar(() => {
    done.add(entry.card.call);
    drop(entry);
  }, () => notice(say("save.failed")));
  entry.form?.over();
  show(entry);
  if (wrapping(entry.card.call)) entry.bar.stand(mine);
  else {
    entry.bar.stand(null);
    setTimeout(() => finish(entry), PATIENCE);
  }
}

/** Take a card away whose time is over, but never what somebody is still typing in. */
function finish(entry) {
  if (!entry.after || wrapping(entry.card.call) || entry.form?.busy() || typing(entry)) return;
  drop(entry);
  settle();
}

function drop(entry) {
  const held = entry.element.contains(document.activeElement);
  entry.form?.close();
  entries.delete(entry.card.call);
  entry.element.remove();
  if (held) ([...entries.values()][0]?.element ?? table).focus({ preventScroll: true });
  settle();
}

function settle() {
  empty.hidden = entries.size > 0;
  desk.dataset.calls = Math.min(entries.size, 4);
  const ringing = [...entries.values()].find((entry) => !entry.after && entry.card.state === "ringing");
  document.title = ringing ? `☎ ${ringing.card.caller.display || say("withheld")} · ${title}` : title;
}

/** The agent's own state, as the server tells it to every page at this phone. */
async function stand(state) {
  mine = state;
  for (const entry of [...entries.values()]) {
    if (!entry.after) continue;
    const on = wrapping(entry.card.call);
    entry.bar.stand(on ? state : null);
    if (!on) finish(entry);
  }
  if (state?.state === "wrap_up" && done.has(state.call)) await ask("POST", "/api/desk/wrap-up/done");
  else if (state?.call && state.ticket && wrapping(state.call) && !entries.has(state.call)) await reopen(state);
}

/** The page was loaded anew with work left on a call that is over. */
async function reopen(state) {
  const card = await reopened(state, CHOICES.lines);
  if (card === null || !wrapping(state.call) || entries.has(state.call)) return;
  const form = work(card.call, card.ticket.id, card.ticket.number, false);
  const entry = { card, element: null, form, stranger: null, bar: null, after: true, denied: false, picked: undefined };
  entries.set(state.call, entry);
  afterwards(entry);
  settle();
  recall(entry);
}

/** Nobody tells of a card whose call is over: what is known of its caller by now is asked for. */
async function recall(entry) {
  if (!entry.after) return;
  const card = await recalled(entry.card.call);
  if (!entry.after || entries.get(entry.card.call) !== entry) return;
  if (card !== null) entry.card = { ...card, since: entry.card.since };
  else entry.card.match ??= { sure: false, problem: "late", as_of: null, customers: [] };
  show(entry);
}

async function choose(entry, id) {
  entry.picked = chosen(entry) === id ? null : id;
  const { picked, card: { chosen: before } } = entry;
  show(entry);
  const answer = await ask("POST", callPath(entry.card.call, "/customer"), { customer: picked });
  if (entry.picked !== picked) return; // another click since
  if (answer.ok) entry.echo = answer.data.chosen;
  entry.picked = undefined; // from here on the card says it: a colleague may have said something else
  const now = entry.card.chosen;
  if (answer.ok && now?.id === before?.id && now?.at === before?.at) entry.card.chosen = answer.data.chosen;
  if (entries.get(entry.card.call) === entry) show(entry);
  if (answer.ok) recall(entry);
  else notice(say("save.failed"));
}

async function copy(entry) {
  const sentence = entry.element.querySelector(".pop-sentence");
  if (!sentence) return false;
  if (navigator.clipboard) await navigator.clipboard.writeText(sentence.textContent);
  else { // no secure context: the old way, by selecting it
    getSelection().selectAllChildren(sentence);
    document.execCommand("copy");
  }
  notice(say("copied"), "check");
  return true;
}

table.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  const entry = button && entries.get(button.closest("[data-call]").dataset.call);
  if (!entry) return;
  if (button.dataset.do === "choose") choose(entry, button.dataset.id);
  else if (button.dataset.do === "copy") copy(entry);
  else if (button.dataset.do === "dial") dial(entry.card);
  else if (button.dataset.do === "deny") {
    entry.denied = !entry.denied;
    show(entry);
    if (entry.denied) entry.stranger.focus();
  }
});

// Twice: the call's row is there at once, its ticket and recording a moment later.
const renewRecent = () => recent && renew(recent);
const renewSoon = calm(renewRecent, 300);
const renewLater = calm(renewRecent, 4_000);

function heard(message) {
  switch (message.type) {
    case "snapshot": {
      ahead = message.now - Date.now() / 1000;
      const told = new Set(message.cards.map((card) => card.call));
      for (const entry of [...entries.values()]) if (!entry.after && !told.has(entry.card.call)) leave(entry, null);
      for (const card of message.cards) {
        const entry = entries.get(card.call);
        if (!entry || entry.after || JSON.stringify(entry.card) !== JSON.stringify(card)) take(card);
      }
      break;
    }
    case "card":
      take(message.card);
      break;
    case "gone": {
      const entry = entries.get(message.call);
      if (entry && !entry.after) leave(entry, message.why);
      renewSoon();
      renewLater();
      break;
    }
    case "state":
      told = true;
      stand(message.state);
      break;
    case "ticket":
      for (const entry of entries.values()) {
        const lost = message.id === undefined && message.call === undefined; // some word of it: any may have changed
        if (lost || entry.form?.id === message.id || entry.card.call === message.call) entry.form?.told();
      }
      break;
    default: // a newer server may say more
      return;
  }
  settle();
}

let hearing = false;

function stands(state) {
  const back = state === "on" && !hearing;
  hearing = state === "on";
  document.body.classList.toggle("desk-deaf", state !== "on");
  document.getElementById("deaf").hidden = state === "on";
  document.getElementById("deaf-text").textContent = say(state === "out" ? "deaf.out" : "deaf.off");
  if (back) look();
}

/** Ask how the agent stands: at the start, and when the line was cut. */
async function look() {
  for (const entry of entries.values()) entry.form?.seen();
  const answer = await askDesk();
  if (!answer.ok) return;
  may = answer.data;
  if (!told) await stand(answer.data.state);
}

addEventListener("beforeunload", (event) => {
  if ([...entries.values()].some((entry) => entry.form?.unsaved())) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") for (const entry of entries.values()) entry.form?.seen();
});

teach(table, () => [...entries.values()], copy);
setInterval(tick, 500);
line("/ws", heard, stands);
