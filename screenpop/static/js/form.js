// The work on a ticket inside its call's card: fields, notes, and what the machine made of the call.

import { fields } from "./fields.js";
import { notes } from "./notes.js";
import { h, icon, say } from "./page.js";
import { said } from "./said.js";
import { ask } from "./server.js";

/**
 * The form of one ticket in one call. Its element is made once and stays: caret, selection and scroll are never lost.
 * `over()` says that the call has ended, `told()` that something changed, `busy()` whether something is not saved.
 */
export function work(call, id, number, joined) {
  const body = h("div", { class: "work-body" }, h("div", { class: "text-secondary" }, h("span", { class: "spinner-border spinner-border-sm", "aria-hidden": "true" }), " ", say("opening")));
  const state = h("span", { class: "ms-auto" });
  const element = h("section", { class: "work", "aria-label": say("ticket", { number }) },
    h("div", { class: "work-head" }, h("a", { href: `/tickets/${id}`, class: "work-number" }, icon("ticket", 18), say("ticket", { number })),
      joined ? h("span", { class: "badge bg-secondary-lt" }, say("joined")) : null, state),
    body);
  let form = null;
  let note = null;
  let summary = null;
  let ended = false;
  let wanted = null; // where somebody wanted to type before the form was there
  let closed = false;

  async function open() {
    const answer = await ask("GET", `/api/tickets/${id}`);
    if (closed) return;
    if (!answer.ok) {
      body.replaceChildren(h("div", { class: "pop-problem" }, icon("alert"), " ", say("no_form"), " ",
        h("button", { type: "button", class: "btn btn-sm", onclick: open }, say("again"))));
      return;
    }
    summary = said(call, (field, value) => form.take(field, value));
    note = notes(answer.data, () => form.keep.look());
    form = fields(answer.data, {
      ticket(ticket) {
        note.draw(ticket);
        summary.draw(ticket);
      },
    });
    state.replaceWith(form.state);
    body.replaceChildren(summary.element, form.element, note.element);
    if (ended) summary.look();
    if (wanted) element.contains(document.activeElement) || focus(wanted);
  }

  function focus(part) {
    wanted = part;
    if (form === null) return;
    (part === "note" ? note : form).focus();
    wanted = null;
  }

  open();
  return {
    id,
    element,
    focus,
    busy: () => form !== null && (form.keep.busy() || note.busy()),
    unsaved: () => form !== null && form.keep.busy(),
    told() {
      form?.keep.look();
      note?.look(); // a note that was added elsewhere is no draft any more
      if (ended) summary?.look();
    },
    seen() {
      note?.look();
      form?.keep.look();
    },
    over() {
      if (ended) return;
      ended = true;
      summary?.look();
    },
    close() {
      closed = true;
      form?.keep.close();
      note?.close();
    },
  };
}
