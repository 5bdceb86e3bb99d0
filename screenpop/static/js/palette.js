// Ctrl+K: one field for customers, tickets, calls and what was said in them, and for going somewhere. As one types.

import { clockOf, grouped, h, icon, say } from "./page.js";
import { stateCommands } from "./state.js";

const PAUSE = 120; // milliseconds without a key before the server is asked
const EACH = 5; // of each kind

let dialog = null;
let field = null;
let list = null;
let status = null;
let timer = null;
let asking = null;
let found = null; // what the server said last, and of which text
let awaited = false; // Enter was pressed before the answer was there: its first is meant

const one = (picture, main, more, go) => ({ picture, main, more, go });
const to = (path) => () => location.assign(path);

/** Pages, states and switches whose words hold what was typed. */
function commands(text) {
  const wanted = text.toLowerCase();
  const links = [...document.querySelectorAll(".shell-nav a, .shell-mine a.menu-item")].map((link) => one(pictureOf(link), link.textContent.trim(), "", to(link.getAttribute("href"))));
  const buttons = [...document.querySelectorAll(".shell-mine button.menu-item")].map((button) => one(pictureOf(button), buttonText(button), "", () => button.click()));
  const states = stateCommands().map(([words, action]) => one("headset", words, "", action));
  return [...links, ...states, ...buttons].filter((command) => command.main.toLowerCase().includes(wanted));
}

const pictureOf = (item) => item.querySelector("use").getAttribute("href").split("#")[1];
const buttonText = (button) => [...button.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent).join("").trim();

const customerOf = (customer) => one(customer.vip ? "star" : "person", customer.name, [customer.vip ? "VIP" : null, customer.company, customer.phones[0]?.display].filter(Boolean).join(" · "), to(`/customers/${encodeURIComponent(customer.id)}`));

const ticketOf = (ticket) => one("ticket", ticket.title || say("find.untitled"), [ticket.number, ticket.customer?.name ?? grouped(ticket.caller)].filter(Boolean).join(" · "), to(`/tickets/${ticket.id}`));

function callOf(call) {
  const [said] = call.said;
  const who = call.customer?.name ?? grouped(call.e164 ?? call.caller) ?? "";
  const turn = said ? `#turn-${said.turn}` : "";
  return one("phone", `${who || say("ring.withheld")} · ${clockOf(call.arrived)}`, said ? marked(said) : "", to(`/calls/${encodeURIComponent(call.call)}${turn}`));
}

/** What was said, with marks; begun shortly before the first, as there is one line. */
function marked({ text, marks }) {
  const from = Math.max(0, (marks[0]?.[0] ?? 0) - 12);
  const parts = from ? ["…"] : [];
  let at = from;
  for (const [since, until] of marks) {
    parts.push(text.slice(at, since), h("mark", {}, text.slice(since, until)));
    at = until;
  }
  return [...parts, text.slice(at)];
}

function groups(text) {
  const said = found && found.text === text ? found.data : found?.data ?? null;
  const made = text && said ? [
    ["find.customers", said.customers.map(customerOf)],
    ["find.tickets", said.tickets.slice(0, EACH).map(ticketOf)],
    ["find.calls", said.calls.map(callOf)],
  ] : [];
  const all = text ? [one("search", say("find.all", { text }), "", to(`/search?q=${encodeURIComponent(text)}`))] : [];
  return [["find.go", commands(text)], ...made, [null, all]].filter(([, ones]) => ones.length);
}

function draw() {
  const text = field.value.trim();
  const kinds = groups(text);
  let number = 0;
  const option = ({ picture, main, more, go }) => h("div", { class: "palette-one", role: "option", id: `found-${number++}`, "aria-selected": "false", onclick: () => { dialog.close(); go(); }, onpointermove: (event) => choose(event.currentTarget) },
    icon(picture, 18), h("span", { class: "palette-main" }, main), h("span", { class: "palette-more" }, more));
  list.replaceChildren(...kinds.map(([words, ones], at) => h("div", { role: "group", "aria-labelledby": words ? `found-kind-${at}` : null },
    words ? h("div", { class: "palette-group", id: `found-kind-${at}` }, say(words)) : null, ones.map(option))));
  const hits = kinds.filter(([words]) => words !== null && words !== "find.go").reduce((sum, [, ones]) => sum + ones.length, 0);
  const settled = found?.text === text;
  if (text && settled && found.data && hits === 0 && kinds.length === 1) list.prepend(h("div", { class: "palette-none" }, say("find.none", { text })));
  if (text && settled && !found.data) list.prepend(h("div", { class: "palette-none" }, say("find.away")));
  status.textContent = text && settled ? say("find.count", { count: hits }) : "";
  choose(list.querySelector("[role=option]"));
}

/** Have an option be the one that Enter opens. */
function choose(option) {
  for (const other of list.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function step(by) {
  const all = [...list.querySelectorAll("[role=option]")];
  if (!all.length) return;
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const next = all[(at + by + all.length) % all.length];
  choose(next);
  next.scrollIntoView({ block: "nearest" });
}

async function seek() {
  const text = field.value.trim();
  asking?.abort();
  if (!text) {
    found = null;
    draw();
    return;
  }
  asking = new AbortController();
  try {
    const answer = await fetch(`/api/search?limit=${EACH}&q=${encodeURIComponent(text)}`, { headers: { Accept: "application/json" }, signal: asking.signal });
    found = { text, data: answer.ok ? await answer.json() : null };
  } catch (error) {
    if (error.name === "AbortError") return;
    found = { text, data: null };
  }
  if (field.value.trim() !== text) return;
  draw();
  if (awaited) enter();
}

/** Open what is chosen. What was found for another text is not what is meant: the answer is waited for. */
function enter() {
  const text = field.value.trim();
  awaited = dialog.open && text !== "" && found?.text !== text;
  if (!awaited) list.querySelector("[aria-selected=true]")?.click();
}

function typed(event) {
  if (event.isComposing) return; // half a Chinese word is no word
  awaited = false;
  draw();
  clearTimeout(timer);
  timer = setTimeout(seek, PAUSE);
}

function pressed(event) {
  if (event.isComposing) return;
  if (event.key === "ArrowDown") step(1);
  else if (event.key === "ArrowUp") step(-1);
  else if (event.key === "Enter") enter();
  else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) dialog.close();
  else return;
  event.preventDefault();
}

function make() {
  list = h("div", { class: "palette-list", id: "found", role: "listbox", "aria-label": say("find.title") });
  status = h("div", { class: "visually-hidden", role: "status" });
  field = h("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "found", "aria-autocomplete": "list", "aria-label": say("find.title"),
    placeholder: say("find.hint"), maxlength: 200, autocomplete: "off", spellcheck: "false", oninput: typed, oncompositionend: typed, onkeydown: pressed,
  });
  dialog = h("dialog", { class: "shell-dialog", id: "palette", "aria-label": say("find.title") },
    h("div", { class: "palette-field" }, icon("search"), field, h("kbd", { "aria-hidden": "true" }, "Esc")),
    list, status,
    h("div", { class: "palette-foot", "aria-hidden": "true" }, h("span", {}, h("kbd", {}, "↑"), " ", h("kbd", {}, "↓"), " ", say("find.move")), h("span", {}, h("kbd", {}, "↵"), " ", say("find.open"))));
  dialog.addEventListener("close", () => {
    awaited = false;
    clearTimeout(timer);
    asking?.abort();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
}

/** Open it, or close it. */
export function palette() {
  if (dialog === null) make();
  if (dialog.open) {
    dialog.close();
    return;
  }
  field.value = "";
  found = null;
  awaited = false;
  dialog.showModal();
  draw();
  field.focus();
}
