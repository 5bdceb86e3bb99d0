// A call's page: players, the transcript that follows them, what the summary cites, corrections.

import { player } from "./call_player.js";
import { corrections } from "./call_correct.js";
import { evidence } from "./call_evidence.js";
import { find } from "./call_find.js";
import { transcript } from "./call_turns.js";
import { shortcut } from "./keys.js";
import { renew } from "./page.js";

const players = [...document.querySelectorAll("[data-player]")].map(player);
const said = players.find((one) => one.said) ?? null;
const turns = transcript(document.querySelector("[data-turns]"), said);
let heard = said ?? players[0] ?? null; // the one that keys are for

for (const one of players) {
  one.on("play", () => {
    heard = one;
    for (const other of players) if (other !== one) other.pause();
  });
}

if (turns) find(document.querySelector("[data-find]"), turns);
const lit = evidence(turns, said);
corrections(document.getElementById("summary"), lit.anew);

/** A key of the player: not where a control has its own use for it. */
function key(name, words, action, own = "button, a, summary, select, [role=slider], input") {
  shortcut(name, words, (event) => {
    if (heard === null || event.target.closest?.(own)) return false;
    return action(heard);
  });
}

if (heard) {
  key(" ", "key.play", (one) => one.toggle());
  key("k", "key.play", (one) => one.toggle(), "select");
  key("ArrowLeft", "key.back", (one) => one.jump(one.at - 5), "[role=slider], input, select");
  key("ArrowRight", "key.on", (one) => one.jump(one.at + 5), "[role=slider], input, select");
  key("j", "key.far_back", (one) => one.jump(one.at - 10), "select");
  key("l", "key.far_on", (one) => one.jump(one.at + 10), "select");
  key("<", "key.slower", (one) => one.faster(-1), "select");
  key(">", "key.faster", (one) => one.faster(1), "select");
  key("s", "key.quiet", (one) => one.skipQuiet(), "select");
}
if (heard && turns) {
  key("p", "key.previous", () => turns.step(-1), "select");
  key("n", "key.next", () => turns.step(1), "select");
}

// A call whose transcript is still to come: look again now and then, and load the page anew when it is there.
const waiting = document.querySelector("[data-renew]");
if (waiting) {
  const timer = setInterval(async () => {
    await renew(waiting);
    const busy = players.some((one) => !one.paused) || document.activeElement?.matches("input, textarea, select");
    if (waiting.querySelector("[data-ready]") && !busy) {
      clearInterval(timer);
      location.reload();
    }
  }, 5_000);
}
