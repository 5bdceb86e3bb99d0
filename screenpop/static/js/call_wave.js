// What a recording looks like: both sides as lanes, drawn by wavesurfer of what the server made. Fetches no sound.

import WaveSurfer from "../vendor/wavesurfer-8.0.1/wavesurfer.esm.js";

const HEIGHT = 40; // pixels a lane; the policy of the page knows the style sheet of this one

/** Between one colour scheme and another: tell when it changes. */
function themed(action) {
  new MutationObserver(action).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}

/** Draw into a player's card, if it can be drawn; `made` is what the server sent, or null. */
export function wave(card, tracks, now) {
  const place = card.querySelector("[data-wave]");
  const marks = card.querySelector("[data-marks]");
  let drawing = null;
  let length = 0;

  const colours = (legs) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return legs.map((leg) => {
      const speaker = leg === "agent" ? "agent" : "caller";
      return { waveColor: colour(`--${speaker}-wave`), progressColor: colour(`--${speaker}`) };
    });
  };

  const draw = (outline) => {
    length = outline.seconds;
    const legs = outline.lanes.map((lane) => lane.leg);
    const loudest = Math.max(1, ...outline.lanes.map((lane) => lane.peaks.reduce((most, peak) => Math.max(most, peak), 0)));
    const most = Math.max(...outline.lanes.map((lane) => lane.peaks.length));
    const even = (peaks) => [...peaks, ...new Array(most - peaks.length).fill(0)]; // lanes end together
    drawing = WaveSurfer.create({
      container: place,
      height: HEIGHT,
      splitChannels: colours(legs),
      peaks: outline.lanes.map((lane) => even(lane.peaks).map((peak) => (peak / loudest) ** 0.7)), // quiet speech is seen, too
      duration: outline.seconds,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      cursorWidth: 2,
      cursorColor: getComputedStyle(document.body).color,
      interact: false,
      hideScrollbar: true,
      autoScroll: false,
    });
    drawing.on("ready", () => {
      card.querySelector(".player-bars").style.display = "none";
      drawing.setTime(now());
    });
    themed(() => drawing.setOptions({ splitChannels: colours(legs), cursorColor: getComputedStyle(document.body).color }));
  };

  const made = fetch(card.dataset.peaks, { headers: { Accept: "application/json" } })
    .then(async (answer) => (answer.ok ? answer.json() : null), () => null)
    .then((outline) => {
      if (outline !== null) draw(outline);
      return outline;
    });

  let moving = false;
  const follow = () => {
    if (!moving) return;
    drawing?.setTime(now());
    requestAnimationFrame(follow);
  };

  return {
    made,
    at: (seconds) => { if (drawing && !moving) drawing.setTime(seconds); },
    moving(on) {
      const begins = on && !moving;
      moving = on;
      if (begins) requestAnimationFrame(follow);
    },
    /** Mark stretches of time on the lanes: [[begins, ends], ...]. */
    mark(stretches, seconds) {
      const whole = length || seconds || 1;
      marks.replaceChildren(...stretches.map(([begins, ends]) => {
        const span = document.createElement("span");
        span.style.left = `${(100 * begins) / whole}%`;
        span.style.width = `${(100 * Math.max(0, ends - begins)) / whole}%`;
        return span;
      }));
    },
  };
}
