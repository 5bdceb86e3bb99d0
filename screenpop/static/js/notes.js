// Notes on a ticket during a call: what is being written is kept on the server, Ctrl+Enter adds it to the timeline.

import { named } from "./fields.js";
import { clockOf, h, icon, say } from "./page.js";
import { ask } from "./server.js";

const PAUSE = 600; // milliseconds after the last key
const AGAIN = 5_000;
const SHOWN = 3;
const LONGEST = 20_000;

/** The notes of one ticket: {element, draw(ticket), focus(), busy(), close()}. `added()` is told of each new one. */
export function notes(ticket, added) {
  const id = `note-${ticket.id}`;
  const path = `/api/tickets/${ticket.id}`;
  const list = h("ul", { class: "work-notes list-unstyled mb-0" });
  const state = h("span", { class: "work-state", role: "status" });
  const box = h("textarea", { id, class: "form-control", rows: 2, maxlength: LONGEST, placeholder: say("note.hint"), "data-note": true });
  const button = h("button", { type: "button", class: "btn btn-sm", onclick: add }, icon("note", 16), say("note.add"));
  let kept = null; // the text that the server has; null: not asked yet
  let timer = null;
  let looks = 0;
  let adding = false;
  let composing = false;

  const later = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(keep, milliseconds);
  };

  async function keep() {
    clearTimeout(timer);
    timer = null;
    const text = box.value;
    if (text === kept || kept === null || adding) return;
    const answer = await ask("PUT", `${path}/draft`, { text });
    if (answer.ok) kept = text;
    state.textContent = answer.ok ? (text ? say("draft.kept") : "") : say("save.away");
    if (!answer.ok && ![401, 403].includes(answer.status)) later(AGAIN);
    else if (box.value !== kept) later(PAUSE);
  }

  async function add() {
    const text = box.value.trim();
    if (!text || adding) return;
    adding = true;
    clearTimeout(timer);
    const answer = await ask("POST", `${path}/notes`, { text });
    adding = false;
    if (!answer.ok) {
      state.textContent = say(answer.status === 422 ? "refused.long" : "save.failed");
      if (box.value !== kept) later(AGAIN); // the draft, at least
      return;
    }
    if (box.value.trim() === text) box.value = "";
    grow();
    state.textContent = say("note.added");
    await keep();
    added();
  }

  const grow = () => {
    box.style.height = "";
    if (box.scrollHeight > box.clientHeight) box.style.height = `${Math.min(box.scrollHeight + 2, 160)}px`;
  };

  box.addEventListener("compositionstart", () => { composing = true; });
  box.addEventListener("compositionend", () => {
    composing = false;
    later(PAUSE);
  });
  box.addEventListener("input", () => {
    grow();
    state.textContent = "";
    if (!composing) later(PAUSE);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    add();
  });

  /** The draft as the server has it, unless something is being typed here. */
  async function look() {
    const turn = ++looks;
    const answer = await ask("GET", `${path}/draft`);
    if (!answer.ok || turn !== looks) return; // a later look knows better
    const mine = box.value !== (kept ?? "");
    kept = answer.data.text;
    if (mine) later(PAUSE);
    else if (!composing) {
      box.value = kept;
      grow();
    }
  }

  const row = (line) => h("li", { class: "work-note" },
    h("span", { class: "text-secondary num" }, clockOf(line.at), " ", named("owner", line.who) ?? ""), " ", h("span", { class: "note-text" }, line.detail.text ?? ""));

  look();
  return {
    element: h("div", { class: "work-note-box" },
      h("div", { class: "work-label" }, h("label", { for: id }, say("note")), state),
      box,
      h("div", { class: "work-note-bar" }, h("span", { class: "text-secondary" }, h("kbd", {}, "Ctrl"), " + ", h("kbd", {}, "Enter")), button),
      list),
    draw(fresh) {
      list.replaceChildren(...fresh.timeline.filter((line) => line.kind === "noted").slice(-SHOWN).reverse().map(row));
    },
    look,
    focus: () => box.focus(),
    busy: () => box.value.trim() !== "",
    close() {
      if (kept !== null) keep();
    },
  };
}
