// The page was loaded anew with work left on a call that is over: its card was never stored. What its ticket knows is there
// at once, so that the form is; what a live card knows follows (`GET /api/desk/work`), for the CRM may take its time.

import { ask } from "./server.js";

/** A mainland mobile number as people write it; anything else, and what is masked, as it is. */
const grouped = (number) => number?.replace(/^\+86(1\d{2})(\d{4})(\d{4})$/, "$1 $2 $3") ?? null;

const person = ({ id, name, vip }) => ({ company: null, level: null, owner: null, note: null, contracts: [], purchases: [], id, name, vip, url: null, reason: null });

/** A card of the call that the agent's `state` is about, as far as its ticket tells of it; null: not at all. */
export async function reopened(state, lines) {
  const answer = await ask("GET", `/api/tickets/${state.ticket.id}`);
  if (!answer.ok) return null;
  const { id, number, customer, caller, line, call_list: calls } = answer.data;
  return {
    call: state.call,
    state: "talking",
    held: false,
    since: state.since,
    queue: null,
    line: { number: line, name: lines[line] ?? "" },
    caller: { display: grouped(caller), raw: caller, e164: caller, kind: caller ? "mobile" : "withheld", region: calls.find((one) => one.call === state.call)?.region ?? null },
    match: customer === null ? null : { sure: true, problem: null, as_of: null, customers: [person(customer)] },
    tickets: [],
    crm_tickets: null,
    last_calls: [],
    ticket: { id, number, joined: false },
  };
}

/** The card with all that a live one knows; null where that cannot be had. */
export async function recalled(call) {
  const answer = await ask("GET", "/api/desk/work");
  return answer.ok && answer.data.call === call ? answer.data : null;
}
