// The transcript: follows the sound, lets itself be followed, and leaves the reader alone who scrolls away.

/** Make the transcript live; null where there is none. `heard`: the player of the recording it is of, or null. */
export function transcript(box, heard) {
  if (box === null) return null;
  const rows = [...box.querySelectorAll("[data-turn]")];
  const begins = rows.map((row) => Number(row.dataset.start));
  const ends = rows.map((row) => Number(row.dataset.end));
  const follow = document.querySelector("[data-follow]");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let now = new Set();
  let last = -1;

  const following = () => follow.getAttribute("aria-pressed") === "true";
  const setFollowing = (on) => follow.setAttribute("aria-pressed", String(on));
  const scrolls = () => box.scrollHeight > box.clientHeight + 1 && getComputedStyle(box).overflowY !== "visible";

  /** Bring a turn into sight: inside the box where it scrolls, else on the page. */
  const show = (row, smooth = false) => {
    const behavior = smooth && !calm.matches ? "smooth" : "instant";
    if (!scrolls()) {
      row.scrollIntoView({ block: "center", behavior });
      return;
    }
    const frame = box.getBoundingClientRect();
    const at = row.getBoundingClientRect();
    if (at.top < frame.top + 8 || at.bottom > frame.bottom - 8) {
      box.scrollBy({ top: at.top - frame.top - frame.height / 3, behavior });
    }
  };

  /** Index of the last turn that has begun by then. */
  const begun = (at) => {
    let [low, high] = [0, begins.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (begins[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };

  const paint = () => {
    const at = heard.at;
    const started = !heard.paused || at > 0;
    const newest = started ? begun(at) : -1;
    const sounding = new Set();
    for (let index = newest; index >= 0 && index > newest - 6; index -= 1) {
      if (at < ends[index]) sounding.add(index); // people talk at once
    }
    for (const index of now) if (!sounding.has(index)) rows[index].classList.remove("turn-now");
    for (const index of sounding) if (!now.has(index)) rows[index].classList.add("turn-now");
    now = sounding;
    if (newest !== last && newest >= 0 && following() && !heard.paused) show(rows[newest], true);
    last = newest;
  };

  const it = {
    rows,
    show,
    begins,
    ends,
    /** The turn being heard, or the last one that was; -1 before the first. */
    get now() { return heard ? begun(heard.at + 0.05) : -1; },
    step(by) {
      const to = Math.max(0, Math.min(rows.length - 1, it.now + by));
      setFollowing(true);
      heard.jump(begins[to]);
      show(rows[to]);
    },
  };

  box.addEventListener("click", (event) => {
    const text = event.target.closest(".turn-text");
    if (text === null || heard === null || !getSelection().isCollapsed) return; // who marks words wants to copy them
    setFollowing(true);
    heard.go(Number(text.parentElement.dataset.start));
  });
  if (heard) {
    follow.hidden = false;
    follow.addEventListener("click", () => {
      setFollowing(!following());
      if (following() && it.now >= 0) show(rows[it.now]);
    });
    for (const away of ["wheel", "touchmove"]) box.addEventListener(away, () => { if (!heard.paused) setFollowing(false); }, { passive: true });
    heard.on("time", paint);
    paint();
  }
  return it;
}
