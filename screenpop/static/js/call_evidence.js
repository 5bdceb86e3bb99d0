// What the summary says and where it was said light each other up, both ways.

import { h, icon, say } from "./page.js";

const indexes = (element) => (element.dataset.said ?? "").split(" ").filter(Boolean).map(Number);

/** Light a set of elements, and no others. */
function light(elements, all) {
  for (const one of all) one.toggleAttribute("data-lit", elements.has(one));
}

/** Tie summary and transcript together; `anew` ties them again when the summary was drawn anew. */
export function evidence(turns, heard) {
  const summary = document.getElementById("summary");
  const rows = turns?.rows ?? [];
  const sentences = () => (summary ? [...summary.querySelectorAll("[data-said]")] : []);
  let pinned = [];

  const mark = (numbers) => heard?.mark(numbers.map((index) => [turns.begins[index], turns.ends[index]]));

  const over = (sentence) => {
    const numbers = sentence ? indexes(sentence).filter((index) => index < rows.length) : [];
    light(new Set(numbers.map((index) => rows[index])), rows);
    mark(sentence ? numbers : pinned);
  };

  const pin = (link) => {
    pinned = link.dataset.cites.split(" ").map(Number).filter((index) => index < rows.length);
    rows.forEach((row, index) => row.classList.toggle("turn-cited", pinned.includes(index)));
    mark(pinned);
    if (!pinned.length) return;
    turns.show(rows[pinned[0]]);
    rows[pinned[0]].querySelector(".turn-text").focus({ preventScroll: true });
  };

  /** A button at each turn that the summary cites. */
  const anew = () => {
    for (const old of document.querySelectorAll(".turn-used")) old.remove();
    const used = new Map();
    for (const sentence of sentences()) {
      for (const index of indexes(sentence)) used.set(index, [...(used.get(index) ?? []), sentence]);
    }
    for (const [index, cited] of used) {
      if (index >= rows.length) continue;
      const words = say("used", { count: cited.length });
      const button = h("button", { type: "button", class: "turn-used", title: words, "aria-label": words, onclick: () => back(cited) }, icon("quote", 14));
      rows[index].querySelector(".turn-who").append(button);
    }
  };

  const back = (cited) => {
    light(new Set(cited), sentences());
    const first = cited.find((one) => one.dataset.part) ?? cited[0]; // the next step is a promise told again
    first.tabIndex = -1;
    first.scrollIntoView({ block: "nearest" });
    first.focus({ preventScroll: true });
  };

  summary?.addEventListener("click", (event) => {
    const link = event.target.closest("[data-cites]");
    if (link === null || !turns) return;
    event.preventDefault();
    pin(link);
  });
  for (const [came, went] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
    summary?.addEventListener(came, (event) => over(event.target.closest("[data-said]")));
    summary?.addEventListener(went, () => over(null));
  }
  for (const row of rows) {
    const index = Number(row.dataset.turn);
    row.addEventListener("pointerenter", () => light(new Set(sentences().filter((one) => indexes(one).includes(index))), sentences()));
    row.addEventListener("pointerleave", () => light(new Set(), sentences()));
  }
  anew();
  // An address that names a turn: a hit of the search.
  const named = /^#turn-(\d+)$/.exec(location.hash);
  if (named && rows[named[1]]) {
    rows[named[1]].classList.add("turn-cited");
    turns.show(rows[named[1]]);
    mark([Number(named[1])]);
  }
  return { anew };
}
