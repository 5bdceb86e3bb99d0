// The bell: how many missed callers wait to be called back, and the list of them, which the server draws.

import { openMenu } from "./menus.js";
import { calm, grouped, me, say } from "./page.js";
import { ask } from "./server.js";
import { toast } from "./toasts.js";

const menu = document.getElementById("missed");
const list = document.getElementById("callbacks");
const count = document.getElementById("missed-count");
const MOST = 99;

/** How many wait. */
export function countMissed(waiting) {
  if (!menu) return;
  count.hidden = waiting === 0;
  count.textContent = waiting > MOST ? `${MOST}+` : String(waiting);
  menu.querySelector("summary .visually-hidden").textContent = say("missed.count", { count: waiting });
}

const draw = () => window.htmx.trigger(list, "renew");

/** The list has changed. */
export const renewMissed = calm(async () => {
  if (menu.open) draw();
  const answer = await ask("GET", "/api/callbacks?limit=1");
  if (answer.ok) countMissed(answer.data.waiting);
}, 500 + 1_500 * Math.random()); // so that a hundred desks do not ask at once

/** Open the list by keyboard. */
export function openMissed() {
  if (!menu) return false;
  openMenu(menu);
  return true;
}

const WHY = { no_phone: "dial.no_phone", not_allowed: "dial.not_allowed", busy: "dial.busy", pbx_away: "dial.pbx_away" };

/** Call a number, a call's, a ticket's or a missed caller: the agent's phone rings first. */
export async function dial(whom) {
  const answer = await ask("POST", "/api/desk/dial", whom);
  if (answer.ok) toast(say("dial.rings", { number: answer.data.display }), "good");
  else toast(say(WHY[answer.data?.title] ?? "dial.failed"), "bad");
  return answer.ok;
}

/** What became of a call by a click: told where nobody could hear it in the receiver. */
export function dialled({ state, why, e164, who }) {
  if (who !== me.login || state !== "over" || why === null) return;
  const known = ["phone_no_answer", "phone_unreachable", "no_answer", "busy"].includes(why) ? why : "failed";
  toast(say(`dial.over.${known}`, { number: grouped(e164) }), "bad");
}

async function act(id, does) {
  if (does === "dial") await dial({ callback: id });
  else {
    const answer = await ask("POST", `/api/callbacks/${id}/${does}`, does === "done" ? {} : undefined);
    if (!answer.ok) toast(say("missed.failed"), "bad");
  }
  draw();
}

let held = null; // the row whose button has the focus, while the list is drawn anew

if (menu) {
  list.addEventListener("htmx:beforeSwap", () => {
    held = document.activeElement?.closest("#callbacks [data-callback]")?.dataset.callback ?? null;
  });
  list.addEventListener("htmx:afterSettle", () => {
    if (held === null) return;
    (list.querySelector(`[data-callback="${CSS.escape(held)}"] button`) ?? list).focus();
    held = null;
  });
  menu.addEventListener("toggle", () => menu.open && draw());
  list.addEventListener("click", async (event) => {
    const does = event.target.closest("[data-do]");
    const more = event.target.closest("[data-more]");
    if (does) {
      if (does.ariaDisabled === "true") return;
      does.ariaDisabled = "true"; // keeps the focus, as a disabled one would not
      await act(Number(does.closest("[data-callback]").dataset.callback), does.dataset.do);
    } else if (more) {
      window.htmx.ajax("GET", `/callbacks/rows?cursor=${encodeURIComponent(more.dataset.more)}`, { target: more.closest("li"), swap: "outerHTML" });
    }
  });
}

// Any number on any page: one click, and the phone rings.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-dial]");
  if (button) dial({ number: button.dataset.dial });
});
