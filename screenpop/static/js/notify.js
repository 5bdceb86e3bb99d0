// Tells of calls that ring: by sound, by the browser's notification while the page is not in front, and on pages that
// are not the desk by a strip. One tab does it; what one tab shows goes when the card goes.

import { say } from "./page.js";
import { hush, loudness, ring } from "./ring.js";
import { onVoice, voice } from "./tabs.js";
import { toast } from "./toasts.js";

const OFF = "notes-off"; // in the browser's storage: notifications are not wanted
const strip = document.getElementById("ringing");
const desk = location.pathname === "/desk";
const title = document.title;

const ringing = new Map(); // by call: its card
const shown = new Map(); // by call: {note, text}
let complained = false;

const possible = () => isSecureContext && "Notification" in window;

/** Whether notifications are shown: "on", "off", "ask" (not decided), or why not: "blocked", "insecure", "none". */
export function notes() {
  if (!("Notification" in window)) return isSecureContext ? "none" : "insecure";
  if (!isSecureContext) return "insecure";
  if (Notification.permission === "denied") return "blocked";
  if (Notification.permission === "default") return "ask";
  return localStorage.getItem(OFF) === null ? "on" : "off";
}

/** Have them shown, from within a click, or not any more. */
export async function wantNotes(on) {
  if (!on) localStorage.setItem(OFF, "1");
  else {
    localStorage.removeItem(OFF);
    if (possible() && Notification.permission === "default") await Notification.requestPermission();
  }
  return notes();
}

/** Who rings, in a line: the name where it is sure. */
function whoRings(card) {
  const number = card.caller.display || card.caller.raw || say("ring.withheld");
  const customer = card.match?.sure ? card.match.customers[0] : null;
  return customer ? `${customer.vip ? "★ " : ""}${customer.name} · ${number}` : number;
}

const inFront = () => document.visibilityState === "visible" && document.hasFocus();

function note(call, card) {
  const text = whoRings(card);
  const old = shown.get(call);
  if (old?.text === text) return;
  old?.note.close();
  const made = new Notification(say("ring.who", { who: text }), {
    body: [card.line.name || card.line.number, card.caller.region].filter(Boolean).join(" · "),
    tag: call, silent: true, requireInteraction: true,
  });
  made.addEventListener("click", () => {
    window.focus();
    made.close();
    if (!desk) location.assign("/desk");
  });
  shown.set(call, { note: made, text });
}

function withdraw(call) {
  shown.get(call)?.note.close();
  shown.delete(call);
}

async function settle() {
  for (const call of [...shown.keys()]) if (!ringing.has(call)) withdraw(call);
  paint();
  if (!ringing.size) {
    hush();
    return;
  }
  if (!(await voice())) {
    hush();
    for (const call of [...shown.keys()]) withdraw(call);
    return;
  }
  if (!ringing.size) return;
  if (!loudness().off) {
    const heard = await ring();
    if (!ringing.size) hush();
    if (!heard && !complained) {
      complained = true;
      toast(say("ring.blocked"));
    }
  }
  if (notes() === "on" && !inFront()) for (const [call, card] of ringing) note(call, card);
}

/** The strip and the title, on pages that are not the desk. */
function paint() {
  if (desk) return;
  const [card] = ringing.values();
  strip.hidden = !card;
  document.title = card ? `☎ ${whoRings(card)} · ${title}` : title;
  if (card) strip.querySelector("strong").replaceChildren(say("ring.who", { who: whoRings(card) }));
}

/** A message of the server. */
export function heardOfCalls(message) {
  const before = JSON.stringify([...ringing]);
  if (message.type === "snapshot") {
    ringing.clear();
    for (const card of message.cards) if (card.state === "ringing") ringing.set(card.call, card);
  } else if (message.type === "card") {
    if (message.card.state === "ringing") ringing.set(message.card.call, message.card);
    else ringing.delete(message.card.call);
  } else if (message.type === "gone") ringing.delete(message.call);
  if (JSON.stringify([...ringing]) !== before) settle();
}

/** The line is cut, or the ring was switched on or off: what rings now is not known, or is to be heard anew. */
export function again({ deaf = false } = {}) {
  if (deaf) ringing.clear();
  if (loudness().off) hush();
  settle();
}

onVoice(() => settle());
document.addEventListener("visibilitychange", () => {
  if (inFront()) for (const call of [...shown.keys()]) withdraw(call);
});
addEventListener("pagehide", () => {
  for (const call of [...shown.keys()]) withdraw(call);
});
// A browser that was silent may speak once somebody has touched the page.
for (const kind of ["pointerup", "keydown"]) addEventListener(kind, () => ringing.size && settle(), { capture: true });
