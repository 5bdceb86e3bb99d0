// One recording: both sides played as one, speed, silence skipped, each side switched off by itself.

import { wave } from "./call_wave.js";
import { lasted, say } from "./page.js";

const APART = 0.3; // seconds two sides may be apart before one of them jumps; below it catches up
const NEAR = 0.03;
const KEPT = "player"; // in the browser's storage: how this person listens

const remembered = () => JSON.parse(localStorage.getItem(KEPT) ?? "{}");
const remember = (more) => localStorage.setItem(KEPT, JSON.stringify({ ...remembered(), ...more }));

/** Make a player of its card. Nothing is fetched of the sound before it is to be heard. */
export function player(card) {
  const part = (name) => card.querySelector(`[data-${name}]`);
  const tracks = [...card.querySelectorAll("audio")];
  const [button, clock, slider, speeds, quietly] = [".player-play", "[data-clock]", "[data-seek]", "[data-speed]", "[data-quiet]"].map((name) => card.querySelector(name));
  const heads = card.querySelector(".player-bars .head");
  const listeners = { play: [], pause: [], time: [] };
  const tell = (what) => listeners[what].forEach((heard) => heard(it));
  let lead = tracks[0]; // the longest one, once that is known
  let length = Number(card.dataset.seconds);
  let quiet = [];
  let seeking = null;

  const failed = (error) => {
    if (error.name !== "AbortError") part("trouble").hidden = false;
  };
  const others = () => tracks.filter((track) => track !== lead);

  /** Whether one side is shorter, and the sound beyond it. Played on it would begin anew. */
  const over = (track) => track !== lead && lead.currentTime >= track.duration - 0.1;

  const paint = () => {
    const at = it.at;
    clock.textContent = `${lasted(at)} / ${lasted(length)}`;
    slider.setAttribute("aria-valuenow", Math.round(at));
    slider.setAttribute("aria-valuetext", lasted(at));
    heads.setAttribute("x", `${length ? Math.min(100, (100 * at) / length) : 0}%`);
    drawn.at(at);
    tell("time");
  };

  /** Whether a side could sound now; one that still loads is not pushed about. */
  const ready = (track) => !track.seeking && track.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;

  const together = () => {
    if (!ready(lead)) return; // the others wait for it
    for (const track of others()) {
      const behind = lead.currentTime - track.currentTime;
      if (over(track)) continue;
      if (track.paused && !lead.paused) track.play().catch(failed); // it had ended, and one has gone back
      if (!ready(track)) continue;
      if (Math.abs(behind) > APART) track.currentTime = lead.currentTime;
      track.playbackRate = lead.playbackRate * (Math.abs(behind) < NEAR ? 1 : 1 + Math.max(-0.1, Math.min(0.1, behind)));
    }
  };

  const it = {
    said: card.dataset.said !== undefined,
    card,
    get at() { return seeking ?? lead.currentTime; },
    get length() { return length; },
    get paused() { return lead.paused; },
    on(what, heard) { listeners[what].push(heard); },
    pause() { tracks.forEach((track) => track.pause()); },
    toggle() { if (lead.paused) it.go(); else it.pause(); },
    jump(seconds) {
      const to = Math.max(0, length ? Math.min(seconds, length - 0.05) : seconds);
      for (const track of tracks) track.currentTime = to;
      if (lead.readyState === 0) seeking = to; // it will begin there; until then it says 0
      paint();
    },
    async go(seconds) {
      if (seconds !== undefined) it.jump(seconds);
      else if (lead.ended) it.jump(0);
      try {
        for (const track of tracks) track.preload = "auto";
        await lead.play(); // the others begin when it does: none is heard alone because the longest is late
      } catch (error) {
        failed(error);
      }
    },
    faster(by) {
      const next = speeds.options[speeds.selectedIndex + by];
      if (next) {
        speeds.value = next.value;
        speeds.dispatchEvent(new Event("change"));
      }
    },
    skipQuiet() { quietly.click(); },
    mark(stretches) { drawn.mark(stretches, length); },
  };

  button.addEventListener("click", it.toggle);
  for (const by of card.querySelectorAll("[data-skip]")) by.addEventListener("click", () => it.jump(it.at + Number(by.dataset.skip)));
  speeds.addEventListener("change", () => {
    for (const track of tracks) track.defaultPlaybackRate = track.playbackRate = Number(speeds.value);
    remember({ speed: speeds.value });
  });
  quietly.addEventListener("change", () => remember({ quiet: quietly.checked }));

  const loud = part("volume");
  const mute = part("mute");
  const turnUp = () => {
    const off = mute.getAttribute("aria-pressed") === "true";
    for (const track of tracks) track.volume = off ? 0 : Number(loud.value);
    mute.querySelector("use").setAttribute("href", off ? mute.dataset.off : mute.dataset.on);
  };
  loud.addEventListener("input", () => {
    mute.setAttribute("aria-pressed", "false");
    turnUp();
    remember({ volume: loud.value });
  });
  mute.addEventListener("click", () => {
    mute.setAttribute("aria-pressed", String(mute.getAttribute("aria-pressed") !== "true"));
    turnUp();
  });

  for (const side of card.querySelectorAll("[data-side]")) {
    side.addEventListener("click", () => {
      const on = side.getAttribute("aria-pressed") !== "true";
      side.setAttribute("aria-pressed", String(on));
      tracks.find((track) => track.dataset.leg === side.dataset.side).muted = !on;
    });
  }

  // Seeking: a click or a drag anywhere on the lanes; keys as every slider has them.
  const point = (event) => {
    const box = slider.getBoundingClientRect();
    it.jump((Math.max(0, Math.min(1, (event.clientX - box.left) / box.width))) * length);
  };
  slider.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    point(event);
    if (event.pointerType === "mouse") slider.setPointerCapture(event.pointerId);
  });
  slider.addEventListener("pointermove", (event) => {
    if (slider.hasPointerCapture(event.pointerId)) point(event);
  });
  const steps = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 };
  slider.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " || event.key === "Enter") it.toggle();
    else if (event.key in steps) it.jump(it.at + steps[event.key]);
    else if (event.key === "Home") it.jump(0);
    else if (event.key === "End") it.jump(length);
    else return;
    event.preventDefault();
  });

  /** Loading is no pause: the button says what it does, the clock that the sound is still to come. */
  const waits = (on) => card.toggleAttribute("data-waits", on && !lead.paused);

  const changed = () => {
    const paused = lead.paused;
    if (paused) waits(false);
    button.querySelector("use").setAttribute("href", paused ? button.dataset.play : button.dataset.pause);
    button.setAttribute("aria-label", say(paused ? "play" : "pause"));
    button.title = say(paused ? "play" : "pause");
    if (paused) others().forEach((track) => track.pause());
    drawn.moving(!paused);
    tell(paused ? "pause" : "play");
    paint();
  };

  const tick = () => {
    seeking = null;
    if (!lead.paused) {
      together();
      const here = quietly.checked && quiet.find(([begins, ends]) => lead.currentTime >= begins && lead.currentTime < ends - 0.1);
      if (here) it.jump(here[1]);
    }
    paint();
  };

  /** Listen to one track for all; another may turn out to be the longest. */
  const follow = (track) => {
    lead = track;
    for (const one of tracks) {
      const mine = (action) => () => { if (one === lead) action(); };
      one.addEventListener("loadedmetadata", mine(() => {
        seeking = null;
        if (Number.isFinite(one.duration)) length = Math.max(length, one.duration);
        slider.setAttribute("aria-valuemax", Math.round(length));
        paint();
      }));
      one.addEventListener("timeupdate", mine(tick));
      one.addEventListener("seeked", mine(tick));
      one.addEventListener("waiting", mine(() => {
        waits(true);
        others().forEach((other) => other.pause());
      }));
      one.addEventListener("playing", mine(() => waits(false)));
      one.addEventListener("playing", mine(() => others().forEach((other) => { if (!over(other)) other.play().catch(failed); })));
      for (const state of ["play", "pause", "ended"]) one.addEventListener(state, mine(changed));
    }
  };

  const drawn = wave(card, tracks, () => it.at);
  follow(tracks[0]);
  const kept = remembered();
  if (kept.speed && [...speeds.options].some((one) => one.value === kept.speed)) speeds.value = kept.speed;
  quietly.checked = kept.quiet === true;
  if (kept.volume !== undefined) loud.value = kept.volume;
  for (const track of tracks) track.defaultPlaybackRate = track.playbackRate = Number(speeds.value);
  turnUp();
  drawn.made.then((outline) => {
    if (outline === null) return;
    if (lead.paused && lead.readyState === 0) {
      const longest = outline.lanes.reduce((most, lane) => (lane.peaks.length > most.peaks.length ? lane : most));
      lead = tracks.find((track) => track.dataset.leg === longest.leg);
    }
    length = outline.seconds;
    quiet = outline.quiet;
    slider.setAttribute("aria-valuemax", Math.round(length));
    paint();
  });
  paint();
  return it;
}
