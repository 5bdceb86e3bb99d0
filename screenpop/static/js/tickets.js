// The list of tickets: the page's first screen follows what happens; what somebody paged to stays as it is.

import { calm, renew, say } from "./page.js";
import { line } from "./socket.js";

const list = document.getElementById("tickets");
const pill = document.getElementById("connection");
const again = calm(() => renew(list), 1_000);

function stands(state, wait) {
  if (state === "on" && pill.dataset.state !== "on" && list.dataset.renew) again(); // something may have been missed
  pill.dataset.state = state;
  pill.querySelector("span").textContent = state === "off" ? say("line.off", { seconds: Math.ceil(wait / 1000) }) : say(`line.${state}`);
}

line("/ws", (message) => {
  if (message.type === "ticket" && list.dataset.renew) again();
}, stands);

for (const control of document.querySelectorAll("[data-submits]")) {
  control.addEventListener("change", () => control.form.requestSubmit());
}
