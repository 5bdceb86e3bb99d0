// Corrections of the summary where one reads it. The form below it does the same without this.

import { say } from "./page.js";

/** Make the summary's card editable; `anew` is called when it was drawn anew. */
export function corrections(card, anew) {
  if (card === null) return;

  const reveal = () => {
    for (const button of card.querySelectorAll("[data-edit]")) button.hidden = false;
  };

  const trouble = (text) => {
    const place = card.querySelector("[data-correct-trouble]");
    place.textContent = text;
    place.hidden = !text;
  };

  /** The summary as it is now, drawn by the server; the sentence that was edited has the focus again. */
  const draw = async (id) => {
    const answer = await fetch(card.dataset.summary, { headers: { Accept: "text/html" } });
    if (answer.redirected) location.reload(); // to the login
    if (!answer.ok) return;
    card.innerHTML = await answer.text(); // our own server's, escaped there
    reveal();
    anew();
    (document.getElementById(id)?.querySelector("[data-edit]") ?? card.querySelector("[data-edit]"))?.focus();
  };

  let sending = false;

  const send = async (said, change) => {
    if (sending) return;
    sending = true;
    await sent(said, change);
    sending = false;
  };

  const sent = async (said, change) => {
    const seen = Number(card.querySelector("[data-seen]").dataset.seen);
    const body = JSON.stringify({ seen, changes: [{ part: said.dataset.part, key: said.dataset.key, ...change }] });
    let answer = null;
    try {
      answer = await fetch(card.dataset.correct, { method: "PATCH", headers: { "Content-Type": "application/json", Accept: "application/json" }, body });
    } catch {
      trouble(say("correct.offline"));
      return;
    }
    if (answer.status === 422) {
      trouble(say("correct.unsound"));
      return;
    }
    if (answer.status === 409) {
      await draw(said.id);
      const now = document.getElementById(said.id);
      if (now && change.value) edit(now, change.value); // what was typed stays, under what a colleague wrote
      trouble(say("correct.meanwhile"));
    } else if (!answer.ok) trouble(say("correct.failed"));
    else await draw(said.id);
  };

  const edit = (said, typed = {}) => {
    const template = card.querySelector("[data-editor]");
    if (template === null || said.querySelector(".said-editor")) return;
    const form = template.content.firstElementChild.cloneNode(true);
    const before = JSON.parse(said.dataset.value);
    for (const field of form.querySelectorAll("[data-of]")) {
      if (field.dataset.of !== said.dataset.part) field.remove();
      else field.value = typed[field.name] ?? before[field.name] ?? "";
    }
    const fields = [...form.querySelectorAll("[data-of]")];
    const label = ["category", "urgency", "sentiment"].includes(said.dataset.part);
    if (label) form.querySelector("[data-gone]").remove();
    if (said.dataset.corrected === undefined) form.querySelector("[data-undo]").remove();
    const hidden = [...said.childNodes].filter((node) => node.nodeType === Node.ELEMENT_NODE && !node.classList.contains("said-kind"));
    const close = () => {
      form.remove();
      for (const node of hidden) node.classList.remove("d-none");
      said.querySelector("[data-edit]").focus();
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const value = { ...before, ...Object.fromEntries(fields.map((field) => [field.name, field.value.trim()])) };
      if (fields.every((field) => field.value.trim() === (before[field.name] ?? ""))) close();
      else if (!fields[0].value.trim()) send(said, { value: null });
      else send(said, { value });
    });
    form.querySelector("[data-gone]")?.addEventListener("click", () => send(said, { value: null }));
    form.querySelector("[data-undo]")?.addEventListener("click", () => send(said, { value: null, undo: true }));
    form.querySelector("[data-cancel]").addEventListener("click", close);
    form.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && event.target.matches("textarea") && !event.shiftKey) form.requestSubmit();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    for (const node of hidden) node.classList.add("d-none");
    said.append(form);
    fields[0].focus();
  };

  card.addEventListener("click", (event) => {
    const button = event.target.closest("[data-edit]");
    if (button) edit(button.closest("[data-said]"));
  });
  reveal();
}
