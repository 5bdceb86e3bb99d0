// The list of tickets: the first page follows what happens; what somebody paged to stays as it is.

import { calm, renew } from "./page.js";
import { line } from "./socket.js";

let on = null; // whether the line stands; null: not known yet

const again = calm(async () => {
  const list = document.getElementById("tickets"); // another one each time a filter was changed
  if (!list?.dataset.renew) return;
  const at = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  await renew(list);
  if (at !== null) list.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus(); // nobody loses their place
}, 1_000);

line("/ws", (message) => {
  if (message.type === "ticket") again();
}, (state) => {
  if (state === "on" && on === false) again(); // something may have been missed
  on = state === "on";
});
