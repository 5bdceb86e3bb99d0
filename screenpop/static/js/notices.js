// The strip above the cards: what has just become of a call, and the calls this agent has just missed.

import { h, icon, say } from "./page.js";
import { ask } from "./server.js";

const NOTICE = 8_000;
const MISSED = 120_000; // a missed call stays longer; the list of calls to be rung back has it for good
const SHOWN = 3;
const MISSES = ["no_answer", "gave_up", "rejected"];

const strip = document.getElementById("notices");
const standing = new Map(); // what is shown, by number and reason

function put(key, lasts, draw) {
  const old = standing.get(key);
  clearTimeout(old?.timer);
  const times = (old?.times ?? 0) + 1;
  const box = draw(times, () => take(key));
  if (old) old.box.replaceWith(box);
  else strip.prepend(box);
  standing.set(key, { box, times, timer: setTimeout(() => take(key), lasts) });
  for (const late of [...standing.keys()].slice(0, -SHOWN)) take(late);
}

function take(key) {
  const one = standing.get(key);
  clearTimeout(one?.timer);
  one?.box.remove();
  standing.delete(key);
}

/** Something that went wrong or is done, in a sentence. */
export function notice(text, picture = "alert") {
  put(text, NOTICE, () => h("div", { class: "desk-notice" }, icon(picture, 18), h("span", {}, text)));
}

/** That a card has gone, and why. A call that was missed can be rung back where `may` says so. */
export function gone(card, why, may) {
  const who = card.caller.display || card.caller.raw || say("withheld");
  const missed = card.state === "ringing" && MISSES.includes(why);
  put(`${who} ${why}`, missed ? MISSED : NOTICE, (times, close) => h("div", { class: `desk-notice${missed ? " desk-missed" : ""}` },
    icon("phone_off", 18),
    h("span", { class: "num" }, who), " ", h("span", { class: "text-secondary" }, say(`why.${why}`), times > 1 ? ` ×${times}` : ""),
    missed && may && card.caller.e164 ? h("button", { type: "button", class: "btn btn-sm", onclick: () => dial(card).then(close) }, icon("phone", 16), say("ring_back")) : null,
    missed ? h("button", { type: "button", class: "btn btn-sm btn-icon btn-ghost-secondary", "aria-label": say("dismiss"), title: say("dismiss"), onclick: close }, "×") : null));
}

/** Have the agent's phone ring, and then the caller's. */
export async function dial(card) {
  const answer = await ask("POST", "/api/desk/dial", { call: card.call });
  notice(say(answer.ok ? "dialling" : "dial_failed", { number: card.caller.display }), answer.ok ? "phone" : "alert");
}
