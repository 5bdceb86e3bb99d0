// One call as a card. Everything shown came from outside and goes in as text.

import { clockOf, dayOf, h, icon, say, yuan } from "./page.js";

const row = (name, ...content) => h("div", { class: "card-row" }, h("span", { class: "card-row-icon" }, icon(name)), h("div", { class: "card-row-text" }, ...content));

function caller(card) {
  const { caller: who, line, queue } = card;
  const places = [who.region, ["mobile", "fixed", "withheld"].includes(who.kind) ? null : say(`kind.${who.kind}`)];
  return h("div", { class: "pop-caller" },
    h("div", { class: "pop-number" }, who.display || who.raw || say("withheld")),
    h("div", { class: "pop-places" },
      ...places.filter(Boolean).map((place) => h("span", { class: "badge bg-secondary-lt" }, place)),
      h("span", { class: "badge bg-azure-lt", title: line.number }, line.name || line.number),
      queue ? h("span", { class: "badge bg-secondary-lt" }, say("queue", { queue })) : null));
}

function purchases(customer) {
  if (!customer.purchases.length) return null;
  return row("bag",
    h("div", { class: "subheader" }, say("purchases")),
    h("ul", { class: "list-unstyled mb-0" }, customer.purchases.map((bought) => h("li", { class: "pop-line" },
      h("span", { class: "text-truncate", title: bought.order_no }, bought.what),
      h("span", { class: "text-secondary text-nowrap" }, [bought.on, bought.amount === null ? null : yuan.format(bought.amount)].filter(Boolean).join(" · "))))));
}

function contracts(customer) {
  if (!customer.contracts.length) return null;
  return row("contract",
    h("div", { class: "subheader" }, say("contracts")),
    h("ul", { class: "list-unstyled mb-0" }, customer.contracts.map((contract) => h("li", { class: "pop-line" },
      h("span", { class: "text-truncate", title: contract.number }, contract.what),
      contract.until ? h("span", { class: "text-secondary text-nowrap" }, say("until", { day: contract.until })) : null))));
}

function tickets(card) {
  const others = card.tickets.filter((ticket) => ticket.id !== card.ticket?.id);
  if (!others.length) return null;
  return row("ticket",
    h("div", { class: "subheader" }, say("open_tickets")),
    h("ul", { class: "list-unstyled mb-0" }, others.map((ticket) => h("li", { class: "pop-line" },
      h("a", { href: `/tickets/${ticket.id}`, class: "text-truncate", "data-keep": `ticket-${ticket.id}` }, ticket.title || ticket.number),
      h("span", { class: "text-secondary text-nowrap" }, [say(`status.${ticket.status}`), ticket.owner, dayOf(ticket.opened)].filter(Boolean).join(" · "))))));
}

/** What is open for the customer in the CRM itself, in its own words. */
function crmTickets(card) {
  if (!card.crm_tickets?.length) return null;
  return row("ticket",
    h("div", { class: "subheader" }, say("crm_tickets")),
    h("ul", { class: "list-unstyled mb-0" }, card.crm_tickets.map((item) => h("li", { class: "pop-line" },
      elsewhere(item.url, "text-truncate", `crm-${item.id}`, item.title),
      h("span", { class: "text-secondary text-nowrap" }, [item.said || (item.status === "unknown" ? null : say(`status.${item.status}`)), item.owner, item.updated === null ? null : dayOf(item.updated)].filter(Boolean).join(" · "))))));
}

/** A link into the CRM, in a page of its own: the desk stays where it is. */
const elsewhere = (url, css, keep, ...content) => url
  ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer", class: css, "data-keep": keep }, ...content)
  : h("span", { class: css }, ...content);

function person(customer) {
  return h("div", { class: "pop-person" },
    h("span", { class: customer.vip ? "avatar avatar-md bg-yellow-lt" : "avatar avatar-md" }, [...customer.name][0] ?? "?"),
    h("div", { class: "pop-person-text" },
      h("div", { class: "pop-name" }, elsewhere(customer.url, "pop-link", "customer", customer.name),
        customer.vip ? h("span", { class: "badge pop-vip" }, icon("star", 14), " VIP") : null,
        customer.level && !(customer.vip && customer.level === "VIP") ? h("span", { class: "badge bg-yellow-lt" }, customer.level) : null),
      customer.company ? h("div", { class: "text-secondary" }, customer.company) : null));
}

const why = (customer) => h("div", { class: "pop-why" }, icon("check", 16), " ",
  [say(`reason.${customer.reason}`, { number: customer.matched }), customer.owner ? say("owner", { owner: customer.owner }) : null].filter(Boolean).join(" · "));

const details = (customer) => [
  customer.note ? row("note", h("div", { class: "pop-note" }, customer.note)) : null,
  purchases(customer),
  contracts(customer),
];

function choice(card, chosen, choose) {
  const { customers } = card.match;
  return h("div", { class: "pop-choice" },
    h("div", { class: "pop-ask" }, icon("people"), " ", say("several", { count: customers.length })),
    h("div", { class: "list-group list-group-flush", role: "group", "aria-label": say("several", { count: customers.length }) }, customers.map((customer) => {
      const mine = chosen === customer.id;
      return h("button", {
        type: "button", class: `list-group-item list-group-item-action${mine ? " active" : ""}`, "aria-pressed": String(mine),
        "data-keep": `choose-${customer.id}`, onclick: () => choose(card.call, mine ? null : customer.id),
      },
      h("span", { class: "pop-line" },
        h("strong", { class: "text-truncate" }, customer.name, customer.vip ? " ★VIP" : ""),
        h("span", { class: "pop-choice-why" }, say(`reason.${customer.reason}`, { number: customer.matched }))),
      customer.company ? h("span", { class: "d-block text-truncate" }, customer.company) : null);
    })),
    customers.filter((customer) => customer.id === chosen).map(details));
}

/** That this is what the CRM said then, not now. */
const copied = (match) => match.problem !== null && match.as_of !== null
  ? h("div", { class: "pop-problem pop-copied" }, icon("alert"), " ", say(`copy.${match.problem}`, { at: clockOf(match.as_of) }))
  : null;

function who(card, chosen, choose) {
  if (card.match === null) {
    return h("div", { class: "pop-looking" }, h("span", { class: "spinner-border spinner-border-sm", "aria-hidden": "true" }), " ", say("looking"));
  }
  const { customers, sure, problem } = card.match;
  if (problem !== null && !customers.length) return h("div", { class: "pop-problem" }, icon("alert"), " ", say(`problem.${problem}`));
  if (!customers.length) return h("div", { class: "pop-unknown" }, icon("person"), " ", say(card.caller.kind === "withheld" ? "withheld_hint" : "unknown"));
  if (!sure) return h("div", {}, copied(card.match), choice(card, chosen, choose));
  return h("div", {}, copied(card.match), person(customers[0]), why(customers[0]), details(customers[0]));
}

function ticket(card) {
  if (card.ticket === null) return h("div", { class: "card-footer pop-footer text-secondary" }, say("no_ticket_yet"));
  return h("div", { class: "card-footer pop-footer" },
    h("a", { class: "btn btn-primary", href: `/tickets/${card.ticket.id}`, "data-keep": "ticket" }, icon("ticket"), say("ticket", { number: card.ticket.number })),
    card.ticket.joined ? h("span", { class: "text-secondary" }, say("joined")) : null);
}

/** The card as an element. `chosen` is the id of the customer picked among several, `choose(call, id)` picks one. */
export function draw(card, chosen, choose) {
  const vip = card.match?.sure && card.match.customers[0].vip;
  const state = card.held ? "held" : card.state;
  return h("article", { class: `card pop pop-${state}${vip ? " pop-is-vip" : ""}`, "data-call": card.call, "aria-label": `${say(`state.${state}`)} ${card.caller.display}` },
    h("div", { class: "pop-state" },
      icon(card.state === "ringing" ? "ring" : "phone"), h("span", {}, say(`state.${state}`)),
      h("time", { class: "pop-since", "data-since": card.since })),
    h("div", { class: "card-body" }, caller(card), who(card, chosen, choose), crmTickets(card), tickets(card)),
    ticket(card));
}
