// A call's page: plays both legs as one, follows the transcript, jumps where one clicks, lights up what a summary cites.

import { lasted, renew, say } from "./page.js";

const DRIFT = 0.15; // seconds two legs may run apart before they are put together again
const player = document.querySelector("[data-player]");

function play(player) {
  const tracks = [...player.querySelectorAll("audio")];
  const [lead, ...others] = tracks;
  const button = player.querySelector("[data-play]");
  const head = player.querySelector(".head");
  const slider = player.querySelector("[data-seek]");
  const clock = player.querySelector("[data-clock]");
  const svg = player.querySelector("svg");
  const turns = [...document.querySelectorAll("[data-start]")];
  let length = Number(player.dataset.seconds);

  const together = () => {
    for (const track of others) {
      if (Math.abs(track.currentTime - lead.currentTime) > DRIFT) track.currentTime = lead.currentTime;
    }
  };

  const paint = () => {
    const at = lead.currentTime;
    const part = length ? Math.min(1, at / length) : 0;
    head.setAttribute("x", `${part * 100}%`);
    slider.value = at;
    slider.setAttribute("aria-valuetext", lasted(at));
    clock.textContent = `${lasted(at)} / ${lasted(length)}`;
    const started = !lead.paused || at > 0;
    let now = null;
    for (const turn of turns) {
      const here = started && at >= turn.dataset.start && at < turn.dataset.end;
      turn.classList.toggle("turn-now", here);
      if (here) now = turn;
    }
    if (now && !lead.paused) follow(now);
  };

  const jump = (seconds) => {
    for (const track of tracks) track.currentTime = seconds;
    paint();
  };

  const go = async (seconds) => {
    if (seconds !== undefined) jump(seconds);
    try {
      await Promise.all(tracks.map((track) => track.play()));
    } catch (error) {
      if (error.name === "AbortError") return;
      player.querySelector("[data-trouble]").hidden = false;
    }
  };

  button.addEventListener("click", () => (lead.paused ? go() : tracks.forEach((track) => track.pause())));
  slider.addEventListener("input", () => jump(Number(slider.value)));
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    jump(((event.clientX - box.left) / box.width) * length);
  });
  player.querySelector("[data-speed]").addEventListener("change", (event) => {
    for (const track of tracks) track.playbackRate = Number(event.target.value);
  });
  player.querySelector("[data-hear]")?.addEventListener("change", (event) => {
    for (const track of tracks) track.muted = event.target.value !== "both" && track.dataset.leg !== event.target.value;
  });

  lead.addEventListener("loadedmetadata", () => {
    if (!Number.isFinite(lead.duration)) return;
    length = Math.max(length, lead.duration);
    slider.max = length;
    paint();
  });
  lead.addEventListener("timeupdate", () => {
    together();
    paint();
  });
  for (const state of ["play", "pause", "ended"]) {
    lead.addEventListener(state, () => {
      const name = lead.paused ? "play" : "pause";
      button.querySelector("use").setAttribute("href", button.dataset[name]);
      button.setAttribute("aria-label", say(name));
      button.title = say(name);
      if (lead.paused) others.forEach((track) => track.pause());
      paint();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, button, a")) return;
    if (event.key === " ") button.click();
    else if (event.key === "ArrowLeft") jump(Math.max(0, lead.currentTime - 5));
    else if (event.key === "ArrowRight") jump(lead.currentTime + 5);
    else return;
    event.preventDefault();
  });
  for (const turn of turns) {
    turn.querySelector("button").addEventListener("click", () => go(Number(turn.dataset.start)));
  }
  paint();
}

/** Keep the turn that is being heard in view, inside its own box only. */
function follow(turn) {
  const box = turn.parentElement;
  const above = turn.offsetTop - box.offsetTop;
  if (above < box.scrollTop || above + turn.offsetHeight > box.scrollTop + box.clientHeight) {
    box.scrollTop = above - box.clientHeight / 3;
  }
}

function cite() {
  for (const link of document.querySelectorAll("[data-cites]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const wanted = new Set(link.dataset.cites.split(" "));
      let first = null;
      for (const turn of document.querySelectorAll("[data-turn]")) {
        const cited = wanted.has(turn.dataset.turn);
        turn.classList.toggle("turn-cited", cited);
        if (cited) first ??= turn;
      }
      if (!first) return;
      follow(first);
      first.querySelector("button").focus();
    });
  }
}

if (player) play(player);
cite();

// A call whose transcript is still to come: look again now and then, and load the page anew when it is there.
const waiting = document.querySelector("[data-renew]");
if (waiting) {
  const timer = setInterval(async () => {
    await renew(waiting);
    if (waiting.querySelector("[data-ready]")) {
      clearInterval(timer);
      location.reload();
    }
  }, 5_000);
}
