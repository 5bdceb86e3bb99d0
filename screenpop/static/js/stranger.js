// Entering an unknown caller without leaving the card: a name, a firm, a word or two; Enter saves.

import { h, icon, say } from "./page.js";
import { ask } from "./server.js";

const FIELDS = [["name", 100], ["company", 100], ["note", 500]];

/** The few fields for the call of a card; `unknown`: because nobody has its number. Made once; what is typed stays whatever the card learns. `entered()` is told of a new customer. */
export function stranger({ call, caller }, unknown, entered) {
  const inputs = new Map();
  const trouble = h("div", { class: "work-words", "data-kind": "trouble", "aria-live": "assertive" });
  const button = h("button", { type: "submit", class: "btn btn-primary" }, say("enter.save"));
  let saving = false;

  async function save(event) {
    event.preventDefault();
    const values = Object.fromEntries([...inputs].map(([name, input]) => [name, input.value.trim() || null]));
    if (values.name === null || saving) {
      inputs.get("name").focus();
      return;
    }
    saving = true;
    button.ariaDisabled = "true"; // keeps the focus, as a disabled one would not
    const answer = await ask("POST", "/api/customers", { ...values, call });
    saving = false;
    button.ariaDisabled = null;
    if (answer.ok) {
      trouble.replaceChildren(icon("check", 16), say("entered"));
      trouble.dataset.kind = "told";
      for (const input of inputs.values()) input.value = "";
      entered();
    } else {
      trouble.dataset.kind = "trouble";
      trouble.replaceChildren(icon("alert", 16), say(answer.status === 422 || answer.status === 400 ? "enter.refused" : "save.failed"));
    }
  }

  const form = h("form", { class: "stranger", "aria-label": [say("enter"), caller.display].join(" "), onsubmit: save },
    h("div", { class: "pop-ask" }, icon("person"), " ", say(unknown ? "unknown" : "enter")),
    h("div", { class: "stranger-fields" },
      FIELDS.map(([name, longest]) => {
        const input = h("input", { class: "form-control", maxlength: longest, autocomplete: "off", placeholder: say(`enter.${name}`), "aria-label": say(`enter.${name}`), "data-enter": name });
        inputs.set(name, input);
        return input;
      }),
      button),
    trouble);
  return {
    element: form,
    focus: () => inputs.get("name").focus(),
    /** Whether somebody has begun. */
    busy: () => saving || form.contains(document.activeElement) || [...inputs.values()].some((input) => input.value !== ""),
    typed: () => saving || [...inputs.values()].some((input) => input.value !== ""),
  };
}
