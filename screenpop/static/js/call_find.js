// Search in what was said: every place marked, one after the other by keys.

import { shortcut } from "./keys.js";
import { say } from "./page.js";

const plain = (text) => text.normalize("NFKC").toLowerCase();

/** Where a word is in a text, as [begins, ends] of the text itself; width and case make no difference. */
export function places(text, word) {
  const letters = [...text];
  const folded = letters.map(plain);
  const joined = folded.join("");
  const found = [];
  if (!word) return found;
  const starts = []; // of each folded character: the letter it came from
  folded.forEach((some, index) => { for (let count = 0; count < some.length; count += 1) starts.push(index); });
  const offsets = [0];
  for (const letter of letters) offsets.push(offsets.at(-1) + letter.length);
  for (let at = joined.indexOf(word); at >= 0; at = joined.indexOf(word, at + word.length)) {
    found.push([offsets[starts[at]], offsets[starts[at + word.length - 1] + 1]]);
  }
  return found;
}

/** Make the search box live. */
export function find(box, turns) {
  if (box === null) return;
  const field = box.querySelector("input");
  const count = box.querySelector("[data-found]");
  const [previous, next] = [box.querySelector("[data-previous]"), box.querySelector("[data-next]")];
  const texts = turns.rows.map((row) => row.querySelector(".turn-text"));
  const marked = new Map(); // of texts that hold marks, and what they are without
  let marks = [];
  let here = -1;

  const clear = () => {
    for (const [element, text] of marked) element.textContent = text;
    marked.clear();
    marks = [];
    here = -1;
  };

  const go = (to) => {
    marks[here]?.classList.remove("found-now");
    here = marks.length ? (to + marks.length) % marks.length : -1;
    count.textContent = field.value.trim() ? say("found", { here: here + 1, count: marks.length }) : "";
    previous.disabled = next.disabled = marks.length === 0;
    if (here < 0) return;
    marks[here].classList.add("found-now");
    turns.show(marks[here].closest("[data-turn]"));
  };

  const look = () => {
    clear();
    const word = plain(field.value.trim());
    for (const element of word ? texts : []) {
      const text = element.textContent;
      const found = places(text, word);
      if (!found.length) continue;
      marked.set(element, text);
      const pieces = [];
      let from = 0;
      for (const [begins, ends] of found) {
        const mark = document.createElement("mark");
        mark.textContent = text.slice(begins, ends);
        pieces.push(text.slice(from, begins), mark);
        marks.push(mark);
        from = ends;
      }
      element.replaceChildren(...pieces, text.slice(from));
    }
    const near = turns.now; // where one is in the sound is where one looks first
    go(Math.max(0, marks.findIndex((mark) => Number(mark.closest("[data-turn]").dataset.turn) >= near)));
  };

  box.hidden = false;
  field.addEventListener("input", look);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") go(here + (event.shiftKey ? -1 : 1));
    else if (event.key === "Escape" && field.value) {
      field.value = "";
      look();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  previous.addEventListener("click", () => go(here - 1));
  next.addEventListener("click", () => go(here + 1));
  shortcut("/", "key.find", () => {
    field.focus();
    field.select();
  });
}
