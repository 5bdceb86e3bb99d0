// What `?` shows: every shortcut of this page, and the switch for single keys.

import { shortcuts, singleKeys, useSingleKeys } from "./keys.js";
import { h, say } from "./page.js";

let dialog = null;

const keys = (key) => key.split(" ").flatMap((part, at) => [at ? ` ${say("keys.then")} ` : null, part.split("+").map((one) => h("kbd", {}, one.length === 1 ? one.toUpperCase() : one))]);

/** Show it, or close it. */
export function help() {
  if (dialog?.open) {
    dialog.close();
    return;
  }
  dialog?.remove();
  const single = h("input", { class: "form-check-input", type: "checkbox", checked: singleKeys(), onchange: (event) => useSingleKeys(event.target.checked) });
  dialog = h("dialog", { class: "shell-dialog", "aria-labelledby": "keys-title" },
    h("div", { class: "keys-head" }, h("h2", { id: "keys-title" }, say("keys.title")),
      h("button", { type: "button", class: "btn-close", "aria-label": say("close"), onclick: () => dialog.close() })),
    h("dl", { class: "keys-list" }, shortcuts().map(([key, words]) => h("div", {}, h("dt", {}, say(words)), h("dd", {}, keys(key))))),
    h("div", { class: "keys-foot" }, h("label", { class: "form-check form-switch mb-0" }, single, h("span", { class: "form-check-label" }, say("keys.single")))));
  dialog.addEventListener("keydown", (event) => event.key === "?" && !event.target.matches("input") && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
