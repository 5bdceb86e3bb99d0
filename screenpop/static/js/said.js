// The summary of the call that is being worked on, beside the form, as soon as the machine has it.

import { byWhen, called, h, icon, say } from "./page.js";
import { patch } from "./patch.js";
import { ask, callPath } from "./server.js";

const COMING = ["talking", "recording", "working"]; // states in which a transcript is still to come

/** What was said in a call: {element, look(), draw(ticket)}. `take(field, value)` puts a suggestion into the form. */
export function said(call, take) {
  const element = h("div", { class: "work-said", hidden: true, role: "group", "aria-label": say("summary") });
  let known = null;
  let ticket = null;

  const suggestion = (field, value, name) => {
    if (!value || !ticket || !ticket.typed.includes(field) || ticket[field] === value) return null;
    return h("button", { type: "button", class: "btn btn-sm work-take", "data-key": `${field}:${value}`, onclick: () => take(field, value) }, icon("robot", 14), say(`take.${field}`, { value: name }));
  };

  function draw() {
    if (known === null) return;
    const { summary, transcript } = known;
    const nothing = summary === null && !COMING.includes(transcript);
    patch(element, h("div", { class: "work-said", hidden: nothing, role: "group", "aria-label": say("summary") },
      h("div", { class: "work-label" }, icon("robot", 16), say("summary"),
        h("a", { class: "ms-auto", href: `/calls/${encodeURIComponent(call)}` }, say("summary.open"))),
      summary === null
        ? h("div", { class: "work-coming" }, h("span", { class: "spinner-border spinner-border-sm", "aria-hidden": "true" }), " ", say("summary.coming"))
        : h("div", {},
            h("div", { class: "work-issue" }, summary.issue),
            ...summary.promises.map((promise) => h("div", { class: "work-promise" }, icon("clock", 14), " ",
              [say(promise.who === "agent" ? "promise.ours" : "promise.theirs"), promise.what, promise.by_when && byWhen(promise.by_when)].filter(Boolean).join(" · "))),
            h("div", { class: "work-takes" },
              suggestion("title", summary.issue, ""),
              suggestion("category", summary.category, called("category", summary.category)),
              suggestion("urgency", summary.urgency, called("urgency", summary.urgency))))));
  }

  return {
    element,
    async look() {
      const answer = await ask("GET", callPath(call));
      if (!answer.ok) return;
      known = answer.data;
      draw();
    },
    draw(fresh) {
      ticket = fresh;
      draw();
    },
  };
}
