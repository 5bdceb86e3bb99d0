// After the call: how much time is left for the rest of the work, and the two buttons that end or lengthen it.

import { h, icon, lasted, say } from "./page.js";
import { ask } from "./server.js";

/** The bar in the head of a card whose call is over. `done()` takes the card away, `failed()` says that nobody answered. */
export function afterBar(done, failed) {
  const clock = h("time", { class: "pop-left" });
  const meter = h("span", { class: "after-meter", "aria-hidden": "true" }, h("span", { class: "after-part" }));
  const longer = h("button", { type: "button", class: "btn btn-sm after-button", onclick: () => extend() }, icon("clock", 16), say("after.longer"));
  const finish = h("button", { type: "button", class: "btn btn-sm after-button after-done", onclick: () => end() }, icon("check", 16), say("after.done"));
  const element = h("div", { class: "after-bar" }, meter, clock, longer, finish);
  let stood = false;
  let standing = null; // the agent's state while it is the wrap-up of this call
  let busy = false;

  async function go(path) {
    if (busy) return false;
    busy = true;
    const answer = await ask("POST", path);
    busy = false;
    if (!answer.ok) failed();
    return answer.ok;
  }

  async function end() {
    if (standing === null || (await go("/api/desk/wrap-up/done"))) done();
  }

  async function extend() {
    if (standing !== null) await go("/api/desk/wrap-up/longer");
  }

  return {
    element,
    end,
    extend,
    /** What the server says of the agent: the wrap-up of this call, or null when that is over or never was. */
    stand(state) {
      standing = state;
      stood ||= state !== null;
      longer.hidden = state === null || state.until === null;
      meter.hidden = longer.hidden;
      element.classList.toggle("after-over", state === null);
      this.tick(Date.now() / 1000);
    },
    /** Draw the time; `now` in epoch seconds on the server's clock. */
    tick(now) {
      if (standing === null) clock.textContent = stood ? say("after.over") : "";
      else if (standing.until === null) clock.textContent = lasted(now - (standing.since ?? now));
      else {
        const left = Math.max(0, standing.until - now);
        clock.textContent = lasted(Math.ceil(left));
        const whole = Math.max(1, standing.until - (standing.since ?? standing.until - 60));
        meter.firstChild.style.width = `${Math.min(100, (100 * left) / whole)}%`;
        element.classList.toggle("after-soon", left <= 10);
      }
    },
  };
}
