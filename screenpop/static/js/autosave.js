// Saves a ticket's fields as somebody types: one at a time, each when typing has paused, again when the service was away.
// What a colleague wrote meanwhile is told and never overwritten; what somebody types here is never replaced.

import { ask } from "./server.js";

const PAUSE = 600; // milliseconds after the last key
const AGAIN = [2_000, 5_000, 10_000, 20_000]; // milliseconds before it is tried again

/** What a person has put into a field; "" where it is empty or the machine's. */
export const typedIn = (ticket, field) => (["status", "owner"].includes(field) || ticket.typed.includes(field) ? ticket[field] ?? "" : "");

/** Who changed a field last, by the ticket's timeline. */
function changedBy(ticket, field) {
  const kinds = field === "status" ? ["moved"] : ["edited"];
  const line = ticket.timeline.findLast((one) => kinds.includes(one.kind) && (field === "status" || field in one.detail));
  return line?.who ?? null;
}

/**
 * Keep one ticket saved. `tell` gets what happens: `saving()`, `saved(at)`, `away()` (tried again by itself), `out()` (the
 * login has ended), `refused(field, colleagues)`, `clash(field, theirs, who)`, `fresh(ticket)` (draw it: somebody changed something),
 * `lost(field, value)` (it could not be saved, and there is no form any more to say that in).
 */
export function keeper(ticket, tell) {
  const waiting = new Map(); // field: what is to be saved
  const refused = new Map(); // field: what the service does not take
  const sent = new Map(); // field: what was sent of it last
  const clashes = new Set();
  let timer = null;
  let flying = null; // the field that is being saved
  let failures = 0;
  let closed = false;

  const later = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(send, milliseconds);
  };

  const next = () => [...waiting.keys()].find((field) => !clashes.has(field));

  /**
   * The ticket as it is by now. A field that is not saved yet and that somebody changed meanwhile is for a person to decide:
   * the next save would know that change's version, and overwrite it. What was sent from here last is nobody else's.
   */
  function learn(fresh) {
    for (const [field, text] of waiting) {
      const theirs = typedIn(fresh, field);
      if (theirs === typedIn(ticket, field) || theirs === text || theirs === sent.get(field)) continue;
      clashes.add(field);
      tell.clash(field, theirs, changedBy(fresh, field));
    }
    ticket = fresh;
    tell.fresh(ticket);
  }

  async function send() {
    clearTimeout(timer);
    timer = null;
    const field = next();
    if (flying !== null || field === undefined) return;
    const value = waiting.get(field);
    flying = field;
    sent.set(field, value);
    tell.saving();
    const answer = await ask("PATCH", `/api/tickets/${ticket.id}`, { version: ticket.version, [field]: value === "" ? null : value });
    flying = null;
    if (answer.ok) {
      failures = 0;
      if (waiting.get(field) === value) waiting.delete(field);
      learn(answer.data);
      if (!waiting.size) tell.saved();
    } else if (answer.status === 409) await compare(field);
    else if (answer.status === 401 || (answer.status === 403 && field !== "owner")) tell.out();
    else if (answer.status === 0 || answer.status >= 500 || answer.status === 429) {
      tell.away();
      later(AGAIN[Math.min(failures++, AGAIN.length - 1)]);
      return;
    } else {
      if (waiting.get(field) === value) {
        waiting.delete(field);
        refused.set(field, value);
      }
      tell.refused(field, answer.status === 403);
    }
    if (closed && !answer.ok && (answer.status !== 409 || clashes.has(field))) tell.lost(field, value);
    if (next() !== undefined && timer === null && answer.status !== 401 && (answer.status !== 403 || field === "owner")) later(0);
  }

  /** Somebody was faster: with another field, and ours is saved on; or with this one, and a person decides. */
  async function compare(field) {
    sent.delete(field); // it was not taken
    const answer = await ask("GET", `/api/tickets/${ticket.id}`);
    if (answer.ok) learn(answer.data);
    else later(AGAIN[0]);
  }

  return {
    get ticket() {
      return ticket;
    },
    /** Whether a field holds what is not saved yet. */
    unsaved: (field) => waiting.has(field) || refused.has(field) || clashes.has(field),
    /** Whether anything does. */
    busy: () => waiting.size > 0,
    /** Somebody typed; `now` saves at once, as after a choice from a list. Whether what was told of the field is over. */
    put(field, value, now = false) {
      if (refused.get(field) === value) return false;
      refused.delete(field);
      const clean = value === typedIn(ticket, field) && flying !== field;
      if (clashes.has(field)) {
        waiting.set(field, value); // until somebody decides
        return false;
      }
      if (!clean) waiting.set(field, value);
      else if (!waiting.delete(field)) return true;
      if (waiting.size) later(now ? 0 : PAUSE);
      else tell.saved();
      return true;
    },
    /** Somebody decided between their text and a colleague's. */
    decide(field, mine) {
      clashes.delete(field);
      if (!mine) waiting.delete(field);
      tell.fresh(ticket);
      if (waiting.size) later(0);
      else tell.saved();
    },
    /** Save what is typed without waiting for a pause. */
    flush: () => send(),
    /** Look what is there now. */
    async look() {
      const answer = await ask("GET", `/api/tickets/${ticket.id}`);
      if (!answer.ok || closed || flying !== null || answer.data.version < ticket.version) return;
      learn(answer.data);
      if (timer === null && next() !== undefined) later(0); // one had been logged out, and is in again
    },
    /** The form goes. What is not saved yet still is, as soon as that can be. */
    close() {
      closed = true;
      if (waiting.size) send();
    },
  };
}
