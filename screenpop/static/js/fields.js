// The fields of a ticket, saved as one types. What the machine found stands behind an empty field, never in it.

import { keeper, typedIn } from "./autosave.js";
import { clockOf, h, icon, say } from "./page.js";
import { toast } from "./toasts.js";

const FIELDS = ["title", "category", "urgency", "status", "owner"];

/** What fields may become, with the names of it, as the page brought it. */
export const CHOICES = JSON.parse(document.getElementById("desk-choices")?.textContent ?? "{}");
const LONGEST_TITLE = 500;
const TOLD = 20_000; // milliseconds for which it is said that a colleague changed a field

/** What a field's value is called; of an "owner": the name of a login. */
export function named(field, value) {
  if (field === "owner") return CHOICES.people.find((person) => person.login === value)?.name ?? value;
  return CHOICES[field]?.find((choice) => choice.value === value)?.name ?? value;
}

/** [value, words] of what a field may become. */
function options(field, ticket) {
  if (field === "status") {
    return CHOICES.status.filter(({ value }) => value === ticket.status || CHOICES.moves[ticket.status].includes(value)).map(({ value, name }) => [value, name]);
  }
  if (field === "owner") return [["", say("field.nobody")], ...withOwn(CHOICES.people.map(({ login, name }) => [login, name]), ticket.owner)];
  const machine = ticket[field] && !ticket.typed.includes(field) ? say("field.machine", { value: named(field, ticket[field]) }) : say("field.unknown");
  return [["", machine], ...withOwn(CHOICES[field].map(({ value, name }) => [value, name]), ticket[field])];
}

const withOwn = (choices, value) => (value && !choices.some(([one]) => one === value) ? [...choices, [value, value]] : choices);

/** The fields as an element, kept saved. `tell.ticket(ticket)` gets each newer one. */
export function fields(first, tell) {
  const composing = new Set();
  const state = h("span", { class: "work-state" });
  const controls = new Map();
  const words = new Map();

  const show = (name, text, picture) => {
    state.dataset.state = name;
    state.replaceChildren(...[picture ? icon(picture, 16) : null, text].filter(Boolean));
  };

  const keep = keeper(first, {
    saving: () => show("saving", say("saving")),
    saved: () => show("saved", say("saved", { at: clockOf(Date.now() / 1000) }), "check"),
    away: () => show("away", say("save.away"), "alert"),
    out: () => show("out", say("save.out"), "alert"),
    refused(field, colleagues) {
      show("refused", say("save.refused"), "alert");
      complain(field, h("span", {}, say(colleagues ? "refused.colleague" : field === "status" ? "refused.status" : field === "owner" ? "refused.owner" : "refused.long")));
    },
    clash(field, theirs, who) {
      show("clash", say("save.clash"), "alert");
      complain(field,
        h("span", {}, say("clash", { who: who ? named("owner", who) : say("somebody"), value: named(field, theirs) || say("field.empty") })),
        h("button", { type: "button", class: "btn btn-sm", onclick: () => settle(field, true) }, say("clash.mine")),
        h("button", { type: "button", class: "btn btn-sm", onclick: () => settle(field, false) }, say("clash.theirs")));
    },
    fresh: draw,
    lost: (field, value) => toast(say("save.lost", { number: first.number, text: named(field, value) || say("field.empty") }), "bad"),
  });

  function complain(field, ...content) {
    words.get(field).replaceChildren(...content);
    words.get(field).dataset.kind = "trouble";
    controls.get(field).setAttribute("aria-invalid", "true");
  }

  function calm(field) {
    words.get(field).replaceChildren();
    words.get(field).dataset.kind = "";
    controls.get(field).removeAttribute("aria-invalid");
  }

  function settle(field, mine) {
    calm(field);
    keep.decide(field, mine);
    controls.get(field).focus();
  }

  let shown = null;

  function draw(ticket) {
    for (const field of FIELDS) {
      const control = controls.get(field);
      if (field === "title") control.placeholder = ticket.title && !ticket.typed.includes("title") ? ticket.title : say("title.hint");
      else patchOptions(control, options(field, ticket));
      machine(field, ticket);
      if (keep?.unsaved(field) || composing.has(field)) continue;
      const value = typedIn(ticket, field);
      if (control.value === value) continue;
      const foreign = shown !== null && document.activeElement !== control;
      control.value = value;
      if (foreign) mention(field, ticket);
    }
    shown = ticket;
    tell.ticket(ticket);
  }

  /** That a colleague changed a field meanwhile. */
  function mention(field, ticket) {
    const line = ticket.timeline.findLast((one) => (field === "status" ? one.kind === "moved" : one.kind === "edited" && field in one.detail));
    if (!line?.who || line.who === CHOICES.me) return; // one's own other tab
    const box = words.get(field);
    box.dataset.kind = "told";
    box.replaceChildren(say("changed_by", { who: named("owner", line.who), at: clockOf(line.at) }));
    setTimeout(() => box.dataset.kind === "told" && calm(field), TOLD);
  }

  function machine(field, ticket) {
    const mark = controls.get(field).closest(".work-field").querySelector(".work-machine");
    if (mark) mark.hidden = !ticket[field] || ticket.typed.includes(field);
  }

  function patchOptions(select, wanted) {
    const kept = select.value;
    if (JSON.stringify(wanted) === select.dataset.made) return;
    select.dataset.made = JSON.stringify(wanted);
    select.replaceChildren(...wanted.map(([value, text]) => h("option", { value }, text)));
    select.value = kept;
  }

  function field(name) {
    const id = `work-${first.id}-${name}`;
    const control = name === "title"
      ? h("input", { id, class: "form-control", maxlength: LONGEST_TITLE, autocomplete: "off", "data-field": name, "aria-describedby": `${id}-words` })
      : h("select", { id, class: "form-select", "data-field": name, "aria-describedby": `${id}-words` });
    const put = (now) => {
      if (keep.put(name, control.value.trim(), now)) calm(name);
    };
    if (name === "title") {
      control.addEventListener("compositionstart", () => composing.add(name));
      control.addEventListener("compositionend", () => {
        composing.delete(name);
        put(false);
      });
      control.addEventListener("input", () => composing.has(name) || put(false));
      control.addEventListener("change", () => put(true));
    } else control.addEventListener("change", () => put(true));
    controls.set(name, control);
    const said = h("div", { id: `${id}-words`, class: "work-words", "aria-live": "polite" });
    words.set(name, said);
    const mark = ["status", "owner"].includes(name) ? null : h("span", { class: "work-machine", title: say("machine_hint"), hidden: true }, icon("robot", 14), h("span", { class: "visually-hidden" }, say("machine_hint")));
    return h("div", { class: `work-field work-${name}` }, h("label", { for: id, class: "work-label" }, say(`field.${name}`), mark), control, said);
  }

  const grid = h("div", { class: "work-grid" }, ...FIELDS.map(field));
  draw(first);
  return {
    element: grid,
    state,
    keep,
    /** Take a value as if somebody had chosen it. */
    take(name, value) {
      controls.get(name).value = value;
      calm(name);
      keep.put(name, value, true);
    },
    focus: () => controls.get("title").focus(),
  };
}
