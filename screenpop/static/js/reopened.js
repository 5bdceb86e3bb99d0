// The page was loaded anew with work left on a call that is over: its card is gone for good, but there is the ticket, and
// the customer it is about.

import { ask } from "./server.js";

const SHOWN = 3;
const OPEN = ["accepted", "working"];

/** A mainland mobile number as people write it; anything else, and what is masked, as it is. */
const grouped = (number) => number?.replace(/^\+86(1\d{2})(\d{4})(\d{4})$/, "$1 $2 $3") ?? null;

/** A customer with all there is to see of them; null where that cannot be had. */
async function whole(customer) {
  const answer = customer && (await ask("GET", `/api/customers/${encodeURIComponent(customer.id)}`));
  return answer?.ok ? answer.data : null;
}

const person = (known, { id, name, vip }) => ({
  ...(known ?? { company: null, level: null, owner: null, note: null, contracts: [] }),
  purchases: (known?.purchases ?? []).slice(0, SHOWN), id, name, vip, url: null, reason: null,
});

/** A card of the call that the agent's `state` is about, as far as one can be made of what is kept; null: of nothing. */
export async function reopened(state, lines) {
  const answer = await ask("GET", `/api/tickets/${state.ticket.id}`);
  if (!answer.ok) return null;
  const { id, number, customer, caller, line, call_list: calls } = answer.data;
  const known = await whole(customer);
  const customers = customer === null ? [] : [person(known, customer)];
  const earlier = (known?.calls ?? calls).filter((one) => one.call !== state.call).slice(0, SHOWN);
  return {
    call: state.call,
    state: "talking",
    held: false,
    since: state.since,
    queue: null,
    line: { number: line, name: lines[line] ?? "" },
    caller: { display: grouped(caller), raw: caller, e164: caller, kind: caller ? "mobile" : "withheld", region: calls.find((one) => one.call === state.call)?.region ?? null },
    match: { sure: customers.length === 1, problem: null, as_of: null, customers },
    tickets: (known?.tickets ?? []).filter((one) => one.id !== id && OPEN.includes(one.status)),
    crm_tickets: null,
    last_calls: earlier.map((one) => ({ ...one, at: one.arrived, issue: null, category: null, agents: [] })),
    ticket: { id, number, joined: false },
  };
}
