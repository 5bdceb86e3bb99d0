// The frame around every page: own state, missed calls, ring and notifications, search, shortcuts, how the line stands.

import { help } from "./help.js";
import { shortcut } from "./keys.js";
import { openMenu } from "./menus.js";
import { countMissed, dialled, openMissed, renewMissed } from "./missed.js";
import { again, heardOfCalls, notes, wantNotes } from "./notify.js";
import { listed, me, say } from "./page.js";
import { palette } from "./palette.js";
import { loudness, sample, setLoudness } from "./ring.js";
import { ask, askDesk } from "./server.js";
import { line } from "./socket.js";
import { chooseState, deskSays, heardOfState } from "./state.js";
import { toast } from "./toasts.js";

const ASKED = "alerts-asked"; // in the browser's storage: it was answered whether this page shall ring
const PATIENCE = 3_000; // milliseconds without a line before the page says so: a reload takes less
const pill = document.getElementById("connection");
const offline = document.getElementById("offline");
const sharing = document.getElementById("sharing");
const alerts = document.getElementById("alerts");
const find = document.getElementById("find");
const deskPage = document.getElementById("deaf") !== null; // the desk says itself that it is deaf
const seated = document.getElementById("seat-form");

let state = "new";
let late = null;

function stands(now, wait) {
  const back = now === "on" && state !== "on";
  if (now !== "on" && state === "on") again({ deaf: true });
  state = now;
  pill.dataset.state = now;
  const words = now === "off" ? say("link.off", { seconds: Math.ceil(wait / 1000) }) : say(`link.${now}`);
  pill.querySelector("span").textContent = words;
  pill.title = words;
  clearTimeout(late);
  if (now === "on") offline.hidden = true;
  else if (!deskPage) late = setTimeout(cut, now === "out" ? 0 : PATIENCE);
  if (back && seated) look();
}

function cut() {
  offline.querySelector("span").textContent = say(state === "out" ? "offline.out" : "offline.off");
  offline.hidden = false;
}

function heard(message) {
  heardOfCalls(message);
  heardOfState(message);
  if (message.type === "callbacks") renewMissed();
  else if (message.type === "dial") dialled(message.dial);
  else if (message.type === "seat" && (message.to ?? me.login) === me.login) shared(message.extension, message.others);
}

/** Who else sits at this phone; a phone that is another one by now wants the page anew. */
function shared(extension, others) {
  if ((extension ?? null) !== me.seat) {
    location.reload();
    return;
  }
  sharing.hidden = !others.length;
  if (others.length) sharing.querySelector("span").textContent = say("seat.shared", { names: listed(others), extension });
}

/** How this desk stands: at the start, and when the line was cut. */
async function look() {
  const answer = await askDesk();
  if (!answer.ok) return;
  const desk = answer.data;
  if ((desk.extension ?? null) !== me.seat) return;
  deskSays(desk);
  countMissed(desk.missed);
  shared(desk.extension, desk.others);
  document.getElementById("seat-phones").replaceChildren(...desk.phones.map((phone) => new Option(phone)));
}

async function move(event) {
  event.preventDefault();
  const wanted = new FormData(seated).get("extension").trim();
  if (wanted && !/^\d{2,8}$/.test(wanted)) {
    toast(say("seat.bad"), "bad");
    return;
  }
  const answer = await ask("POST", "/api/desk/seat", { extension: wanted || null });
  if (answer.ok) location.reload();
  else toast(say("seat.failed"), "bad");
}

function settings() {
  const on = document.getElementById("ring-on");
  const volume = document.getElementById("ring-volume");
  const noted = document.getElementById("notes-on");
  const why = document.getElementById("notes-why");
  const paint = () => {
    const now = loudness();
    on.checked = !now.off;
    volume.value = now.volume * 100;
    volume.disabled = now.off;
    const how = notes();
    noted.checked = how === "on";
    noted.disabled = ["blocked", "insecure", "none"].includes(how);
    why.textContent = how === "off" || how === "ask" ? "" : say(`notes.${how}`);
  };
  on.addEventListener("change", () => {
    setLoudness({ off: !on.checked });
    again();
    paint();
  });
  volume.addEventListener("input", () => setLoudness({ volume: volume.value / 100 }));
  volume.addEventListener("change", () => sample());
  document.getElementById("ring-try").addEventListener("click", () => sample());
  noted.addEventListener("change", async () => {
    await wantNotes(noted.checked);
    paint();
  });
  addEventListener("storage", paint);
  paint();
  return paint;
}

/** Ask, in a strip and once, whether the desk shall ring and notify: browsers want a click for both. */
function politely(paint) {
  if (me.seat === null || !deskPage || localStorage.getItem(ASKED) !== null) return;
  alerts.querySelector("span").textContent = say("alerts.ask");
  alerts.hidden = false;
  const done = () => {
    localStorage.setItem(ASKED, "1");
    alerts.hidden = true;
  };
  alerts.querySelector("[data-no]").addEventListener("click", done);
  alerts.querySelector("[data-yes]").addEventListener("click", async () => {
    done();
    setLoudness({ off: false });
    await Promise.all([sample(), wantNotes(true)]);
    paint();
  });
}

function ringSwitch() {
  const { off } = loudness();
  setLoudness({ off: !off });
  again();
  dispatchEvent(new Event("storage"));
  toast(say(off ? "ring.on" : "ring.off"));
}

const go = (path) => () => {
  if (!document.querySelector(`.shell-nav a[href="${path}"]`)) return false;
  location.assign(path);
  return true;
};

shortcut("?", "key.help", help);
shortcut("Ctrl+K", "key.find", () => (find ? palette() : false));
shortcut("/", "key.find", () => (find ? palette() : false));
shortcut("g d", "key.desk", go("/desk"));
shortcut("g t", "key.tickets", go("/tickets"));
shortcut("g c", "key.calls", go("/calls"));
if (seated) {
  shortcut("s", "key.state", chooseState);
  shortcut("b", "key.missed", openMissed);
  shortcut("m", "key.hush", ringSwitch);
  seated.addEventListener("submit", move);
  politely(settings());
}
for (const button of document.querySelectorAll("[data-sit]")) {
  button.addEventListener("click", () => {
    openMenu(document.getElementById("me"));
    document.getElementById("seat-new").focus();
  });
}
document.getElementById("help-open")?.addEventListener("click", help);
find?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  palette();
});
// A part of a page that the login's end turned into the login page: the whole page goes there.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (new URL(event.detail.xhr.responseURL).pathname === "/login") location.reload();
});
line("/ws", heard, stands);
