// One call as a card. Everything shown came from outside and goes in as text. What is drawn here is patched into the card
// that stands (patch.js): buttons say by `data-do` what they do, and the desk does it.

import { byWhen, called, clockOf, dayOf, h, icon, listed, say, yuan } from "./page.js";

const TONGUE = document.documentElement.lang === "en" ? "en" : "zh_CN";
const OUTCOMES = { answered: "phone", abandoned: "phone_off", voicemail: "mic", lost: "alert" };

/** What a caller is called where there is room for a few words only. */
export const nameOf = (card) => card.match?.customers.find((one) => one.id === known(card)?.id)?.name ?? (card.caller.display || card.caller.raw || say("withheld"));

/** The customer who stands: the sure one, else the one that a person chose. Null: nobody. */
export function known(card, chosen = card.chosen?.id ?? null) {
  if (card.match === null) return null;
  if (card.match.sure) return card.match.customers[0];
  return card.match.customers.find((one) => one.id === chosen) ?? null;
}

const part = (key, picture, title, ...content) => h("div", { class: `pop-part pop-${key}`, "data-key": key, role: "group", "aria-label": title },
  h("h3", { class: "pop-title" }, icon(picture, 16), title), ...content);

const line = (key, first, ...rest) => h("li", { class: "pop-line", "data-key": key }, first, h("span", { class: "pop-aside" }, rest.filter(Boolean).join(" · ")));

const list = (...lines) => h("ul", { class: "list-unstyled mb-0" }, ...lines);

/** A link into the CRM, in a page of its own: the desk stays where it is. */
const elsewhere = (url, css, ...content) => url
  ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer", class: css }, ...content)
  : h("span", { class: css }, ...content);

const badge = (text, css = "bg-secondary-lt") => (text ? h("span", { class: `badge ${css}` }, text) : null);

function number({ caller }, small, dial) {
  const shown = caller.display || caller.raw || say("withheld");
  const kind = ["mobile", "fixed", "withheld"].includes(caller.kind) ? null : say(`kind.${caller.kind}`);
  return h(small ? "div" : "h2", { class: `pop-number${small ? " pop-number-small" : ""}`, "data-key": "number" }, h("span", { class: "num" }, shown), " ",
    [caller.region, kind].filter(Boolean).map((place) => h("span", { class: "pop-place" }, place)),
    dial && caller.e164 ? h("button", { type: "button", class: "pop-act", "data-do": "dial" }, icon("phone", 14), " ", say("ring_back")) : null);
}

function person(customer) {
  return h("div", { class: "pop-person", "data-key": "person" },
    h("span", { class: `avatar ${customer.vip ? "pop-vip" : ""}`, "aria-hidden": "true" }, [...customer.name][0] ?? "?"),
    h("div", { class: "min-w-0" },
      h("h2", { class: "pop-name" }, elsewhere(customer.url, "pop-link", customer.name),
        customer.vip ? h("span", { class: "badge pop-vip" }, icon("star", 14), " VIP") : null,
        customer.level && !(customer.vip && customer.level === "VIP") ? badge(customer.level, "pop-level") : null),
      customer.company || customer.owner
        ? h("div", { class: "pop-company" }, [customer.company, customer.owner ? say("owner", { owner: customer.owner }) : null].filter(Boolean).join(" · "))
        : null));
}

/** Why it is this customer, and how to say that it is not. */
function why(card, customer, view) {
  const { match, chosen } = card;
  const said = !match.sure && chosen?.id === customer.id;
  const act = said ? ["choose", "choose.undo"] : match.sure ? ["deny", view.denied ? "deny.not" : "deny"] : null;
  return h("div", { class: "pop-why", "data-key": "why" }, icon("check", 16), " ",
    said ? say("chosen_by", { who: chosen.who, at: clockOf(chosen.at) }) : say(`reason.${customer.reason}`, { number: customer.matched }),
    act ? h("button", { type: "button", class: "pop-act", "data-do": act[0], "data-id": customer.id, "data-key": act[1] }, say(act[1])) : null);
}

/** That this is what the CRM said then, not now. */
const copied = (match) => match.problem !== null && match.as_of !== null
  ? h("div", { class: "pop-problem pop-copied", "data-key": "copied" }, icon("alert"), " ", say(`copy.${match.problem}`, { at: clockOf(match.as_of) }))
  : null;

function choice(card, view) {
  const { chosen } = view;
  const { customers } = card.match;
  const { remembered } = card;
  const first = remembered ? [...customers].sort((one, other) => (other.id === remembered.id) - (one.id === remembered.id)) : customers;
  const ask = customers.length > 1 ? say("several", { count: customers.length }) : say("perhaps");
  return h("div", { class: "pop-choice", "data-key": "choice" },
    h("div", { class: "pop-ask" }, icon("people"), " ", ask),
    h("div", { class: "pop-choices", role: "group", "aria-label": ask, "data-choices": true }, first.map((customer) => h("button", {
      type: "button", class: "pop-pick", "aria-pressed": String(chosen === customer.id), "data-key": `pick-${customer.id}`, "data-do": "choose", "data-id": customer.id,
    },
    h("span", { class: "pop-pick-mark" }, chosen === customer.id ? icon("check", 16) : null),
    h("span", { class: "pop-pick-text" },
      h("span", { class: "pop-line" },
        h("span", { class: "pop-pick-name" }, h("strong", { class: "text-truncate" }, customer.name), customer.vip ? h("span", { class: "badge pop-vip" }, icon("star", 14), " VIP") : null),
        h("span", { class: "pop-aside" }, say(`reason.${customer.reason}`, { number: customer.matched }))),
      h("span", { class: "pop-line" },
        h("span", { class: "text-truncate" }, [customer.company, customer.level].filter(Boolean).join(" · ")),
        remembered?.id === customer.id ? h("span", { class: "pop-aside pop-remembered" }, icon("history", 14), " ", say("remembered", { who: remembered.who, day: dayOf(remembered.at) })) : null))))),
    h("button", { type: "button", class: "pop-act", "data-do": "deny", "data-key": "deny" }, say(view.denied ? "deny.not" : "nobody_of_these")));
}

/** Who calls, or what is known of that. */
function who(card, view) {
  const { match } = card;
  const customer = known(card, view.chosen);
  const lookup = () => {
    if (match === null) return h("div", { class: "pop-looking", "data-key": "looking" }, h("span", { class: "spinner-border spinner-border-sm", "aria-hidden": "true" }), " ", say("looking"));
    if (match.problem !== null && !match.customers.length) return h("div", { class: "pop-problem", "data-key": "problem" }, icon("alert"), " ", say(`problem.${match.problem}`));
    if (!match.customers.length && card.caller.kind === "withheld") return h("div", { class: "pop-unknown", "data-key": "withheld" }, icon("person"), " ", say("withheld_hint"));
    return null;
  };
  return h("div", { class: "pop-who", "data-key": "who" },
    customer ? person(customer) : null,
    h("div", { class: "pop-call", "data-key": "call" }, number(card, customer !== null, view.dial), customer?.reason ? why(card, customer, view) : null),
    match ? copied(match) : null,
    lookup(),
    match && !match.sure && match.customers.length > (customer ? 1 : 0) ? choice(card, view) : null,
    view.stranger ? h("div", { class: "pop-stranger", "data-key": "stranger", "data-live": true }) : null);
}

/** What is going on with the caller. */
function matters(card) {
  const parts = [aloud(card), openTickets(card), crmTickets(card)].filter(Boolean);
  return parts.length ? h("div", { class: "pop-matters", "data-key": "matters" }, parts) : null;
}

function aloud(card) {
  const text = card.aloud?.[TONGUE];
  if (!text) return null;
  return h("div", { class: "pop-part pop-aloud", "data-key": "aloud", role: "group", "aria-label": say("aloud") },
    h("div", { class: "pop-aloud-head" }, h("h3", { class: "pop-title" }, icon("ear", 16), say("aloud")),
      h("button", { type: "button", class: "pop-act", "data-do": "copy" }, say("copy"))),
    h("p", { class: "pop-sentence" }, text));
}

function promise(ticket) {
  if (!ticket.promise) return null;
  const { who: by, what, by_when: when } = ticket.promise;
  return h("div", { class: "pop-promise" }, icon("clock", 14), " ", [say(by === "agent" ? "promise.ours" : "promise.theirs"), what].join(" · "), when ? h("span", { class: "text-nowrap" }, ` · ${byWhen(when)}`) : null);
}

function openTickets(card) {
  const others = card.tickets.filter((ticket) => ticket.id !== card.ticket?.id || ticket.promise);
  if (!others.length) return null;
  return part("tickets", "ticket", say("open_tickets"), list(others.map((ticket) => h("li", { "data-key": `ticket-${ticket.id}` },
    h("div", { class: "pop-line" },
      h("a", { href: `/tickets/${ticket.id}`, class: "text-truncate" }, ticket.title || ticket.summary || ticket.number),
      h("span", { class: "pop-aside" }, [called("status", ticket.status), ticket.owner_name ?? ticket.owner, dayOf(ticket.opened)].filter(Boolean).join(" · "))),
    promise(ticket)))));
}

/** What is open for the customer in the CRM itself, in its own words. */
function crmTickets(card) {
  if (!card.crm_tickets?.length) return null;
  return part("crm", "ticket", say("crm_tickets"), list(card.crm_tickets.map((item) => line(`crm-${item.id}`,
    elsewhere(item.url, "text-truncate", item.title),
    item.said || (item.status === "unknown" ? null : called("status", item.status)), item.owner, item.updated === null ? null : dayOf(item.updated)))));
}

function lastCalls(card) {
  if (!card.last_calls?.length) return null;
  return part("calls", "history", say("last_calls"), list(card.last_calls.map((call) => h("li", { "data-key": call.call },
    h("div", { class: "pop-line" },
      h("a", { href: `/calls/${encodeURIComponent(call.call)}`, class: "text-truncate" },
        h("span", { class: call.outcome === "answered" ? "text-green" : "text-red" }, icon(OUTCOMES[call.outcome] ?? "ring", 14)), " ",
        call.issue || (call.outcome ? called("outcome", call.outcome) : say("under_way"))),
      h("span", { class: "pop-aside" }, [call.category ? called("category", call.category) : null, listed(call.agents), clockOf(call.at)].filter(Boolean).join(" · ")))))));
}

function purchases(customer) {
  if (!customer.purchases.length) return null;
  return part("bought", "bag", say("purchases"), list(customer.purchases.map((bought, at) => line(`bought-${at}`,
    h("span", { class: "text-truncate", title: bought.order_no }, bought.what),
    bought.on, bought.amount === null ? null : yuan.format(bought.amount)))));
}

function contracts(customer) {
  if (!customer.contracts.length) return null;
  return part("contracts", "contract", say("contracts"), list(customer.contracts.map((contract, at) => line(`contract-${at}`,
    h("span", { class: "text-truncate", title: contract.number }, contract.what),
    contract.until ? say("until", { day: contract.until }) : null))));
}

/** What there is to know: of the customer who stands, else of the one chosen before, who is opened but not taken for sure. */
function facts(card, view) {
  const customer = known(card, view.chosen) ?? card.match?.customers.find((one) => one.id === card.remembered?.id) ?? null;
  const parts = [
    customer?.note ? part("note", "note", say("customer_note"), h("div", { class: "pop-note" }, customer.note)) : null,
    lastCalls(card),
    customer ? purchases(customer) : null,
    customer ? contracts(customer) : null,
  ].filter(Boolean);
  return parts.length ? h("div", { class: "pop-facts", "data-key": "facts" }, parts) : null;
}

function head(card, view) {
  const state = view.after ? "after" : card.held ? "held" : card.state;
  return h("div", { class: "pop-state", "data-key": "state" },
    icon(state === "ringing" ? "ring" : state === "after" ? "note" : "phone"),
    h("span", { class: "pop-state-word" }, say(`state.${state}`)),
    h("span", { class: "pop-line-name text-truncate", title: card.line.number }, [card.line.name || card.line.number, card.queue ? say("queue", { queue: card.queue }) : null].filter(Boolean).join(" · ")),
    view.after
      ? h("span", { class: "pop-after-bar", "data-key": "after", "data-live": true })
      : h("time", { class: "pop-since", "data-key": "since", "data-live": true, "data-since": card.since }));
}

/**
 * The card as an element. `view`: `chosen` (id of the customer picked among several), `after` (the call is over),
 * `stranger` (room for entering who it is), `denied` (that was asked for), `dial` (the caller may be rung back), `work` (room for the ticket's form), `fresh` (it has just come).
 */
export function draw(card, view) {
  const vip = known(card, view.chosen)?.vip;
  const state = view.after ? "after" : card.held ? "held" : card.state;
  const css = ["card pop", `pop-${state}`, vip ? "pop-is-vip" : "", view.work ? "pop-works" : "", view.fresh ? "pop-new" : ""];
  return h("article", { class: css.filter(Boolean).join(" "), "data-key": card.call, "data-call": card.call, tabindex: -1, "aria-label": [say(`state.${state}`), nameOf(card), vip ? "VIP" : null].filter(Boolean).join(" ") },
    head(card, view),
    h("div", { class: "pop-body", "data-key": "body", tabindex: 0, role: "group", "aria-label": say("card_of", { who: nameOf(card) }) },
      who(card, view),
      matters(card),
      facts(card, view),
      view.work ? h("div", { class: "pop-work", "data-key": "work", "data-live": true }) : null),
    view.work || view.after ? null : footer(card));
}

function footer(card) {
  if (card.ticket === null) return h("div", { class: "card-footer pop-footer text-secondary", "data-key": "footer" }, say("no_ticket_yet"));
  return h("div", { class: "card-footer pop-footer", "data-key": "footer" },
    h("a", { class: "btn", href: `/tickets/${card.ticket.id}` }, icon("ticket"), say("ticket", { number: card.ticket.number })),
    card.ticket.joined ? h("span", { class: "text-secondary" }, say("joined")) : null);
}
