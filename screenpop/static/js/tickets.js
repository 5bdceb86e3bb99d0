// The list of tickets: the first page follows what happens; what somebody paged to stays as it is.

import { calm, renew } from "./page.js";
import { line } from "./socket.js";

let on = null; // whether the line stands; null: not known yet

const again = calm(() => {
  const list = document.getElementById("tickets"); // another one each time a filter was changed
  if (list?.dataset.renew) renew(list);
}, 1_000);

line("/ws", (message) => {
  if (message.type === "ticket") again();
}, (state) => {
  if (state === "on" && on === false) again(); // something may have been missed
  on = state === "on";
});
