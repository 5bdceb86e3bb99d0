// The desk by keyboard: which key goes where. Keys that belong to a call go to the one that has the focus, else to the
// one that rings, else to the first.

import { shortcut } from "./keys.js";

const MOST = 4; // calls that have a key of their own

/** Have the keys of the desk work. `all()` gives the entries of desk.js in the order in which they stand. */
export function teach(table, all, copy) {
  const here = () => {
    const entries = all();
    return entries.find((entry) => entry.element.contains(document.activeElement))
      ?? entries.find((entry) => !entry.after && entry.card.state === "ringing") ?? entries[0] ?? null;
  };
  const at = (action) => () => {
    const entry = here();
    return entry !== null && action(entry) !== false;
  };

  const work = (entry, part) => {
    entry.form?.focus(part);
    return entry.form !== null;
  };

  for (let place = 1; place <= MOST; place += 1) {
    shortcut(`Alt+${place}`, place === 1 ? "key.call" : null, () => {
      const entry = all()[place - 1];
      entry?.element.focus();
      return entry !== undefined;
    });
  }
  shortcut("e", "key.form", at((entry) => work(entry, "form")));
  shortcut("n", "key.note", at((entry) => work(entry, "note")));
  shortcut("c", "key.who", at((entry) => {
    const target = entry.element.querySelector("[data-choices] [aria-pressed=true], [data-choices] button, [data-enter]");
    target?.focus();
    return target !== null;
  }));
  shortcut("r", "key.copy", at((entry) => {
    if (!entry.element.querySelector(".pop-sentence")) return false;
    copy(entry);
    return true;
  }));
  shortcut("d", "key.done", () => {
    const entry = all().find((one) => one.after);
    entry?.bar.end();
    return entry !== undefined;
  });
  shortcut("l", "key.longer", () => {
    const entry = all().find((one) => one.after);
    entry?.bar.extend();
    return entry !== undefined;
  });
  shortcut("Ctrl+Enter", "key.add", () => false); // the note's own field does it

  table.addEventListener("keydown", (event) => {
    const choices = event.target.closest("[data-choices]");
    if (choices && ["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) {
      const buttons = [...choices.querySelectorAll("button")];
      const now = buttons.indexOf(document.activeElement);
      const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
      buttons.at(next % buttons.length).focus();
      event.preventDefault();
    } else if (event.key === "Escape" && !event.isComposing && event.target.matches("input, textarea, select")) {
      event.target.closest("[data-call]").focus(); // so that single keys work again
    }
  });
}
