// Short sentences at the page's corner: what was done, what could not be. Read out where they are not seen.

import { h, icon } from "./page.js";

const LASTS = 6_000;

/** Say something for a while. `kind`: "good", "bad" or "plain"; what is bad stays until it is taken away. */
export function toast(text, kind = "plain") {
  const box = document.getElementById("toasts");
  const close = h("button", { type: "button", class: "btn-close", "aria-label": box.dataset.close, onclick: () => one.remove() });
  const one = h("div", { class: `shell-toast shell-toast-${kind}`, role: kind === "bad" ? "alert" : "status" },
    icon({ good: "check", bad: "alert" }[kind] ?? "note", 18), h("span", {}, text), close);
  box.append(one);
  while (box.children.length > 4) box.firstElementChild.remove();
  if (kind !== "bad") setTimeout(() => one.remove(), LASTS);
}
