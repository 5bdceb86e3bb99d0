// What `?` shows: every shortcut of this page, and the switch for single keys.

import { shortcuts, singleKeys, useSingleKeys } from "./keys.js";
import { h, say } from "./page.js";

let dialog = null;

/** What is printed on a key. */
const cap = (one) => ({ " ": say("keys.space"), ArrowLeft: "←", ArrowRight: "→" })[one] ?? (one.length === 1 ? one.toUpperCase() : one);

const keys = (key) => (key === " " ? [key] : key.split(" ")).flatMap((part, at) => [at ? h("span", {}, say("keys.then")) : null, part.split("+").map((one) => h("kbd", {}, cap(one)))]);

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
    h("dl", { class: "keys-list" }, shortcuts().map(([all, words]) => h("div", {}, h("dt", {}, say(words)),
      h("dd", {}, all.map((key, at) => [at ? h("span", {}, say("keys.or")) : null, keys(key)]))))),
    h("div", { class: "keys-foot" }, h("label", { class: "form-check form-switch mb-0" }, single, h("span", { class: "form-check-label" }, say("keys.single")))));
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "?") return;
    event.preventDefault(); // else the page's own shortcut opens it again
    dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
