// Which of a browser's tabs speaks: one rings and notifies, the one that was looked at last.
//
// With Web Locks the one that holds the lock; whoever is looked at takes it away from the others, and when that tab is
// closed the next in the queue has it. Without (pages by plain http from another machine) tabs agree over a channel: the
// last claim counts, and one that says nothing when it is asked is taken to be gone.

const NAME = "hotline-voice";
const ANSWER = 1000; // milliseconds a tab has to say that it is there: a busy machine takes its time

let speaks = false;
const followers = [];

/** Be told when this tab begins to speak, and when another does. */
export function onVoice(told) {
  followers.push(told);
}

function now(does) {
  if (does === speaks) return;
  speaks = does;
  for (const told of followers) told(does);
}

function byLock() {
  let queued = null; // takes this tab out of the queue again
  const hold = (steal) => {
    let held = false;
    queued = steal ? null : new AbortController();
    navigator.locks
      .request(NAME, steal ? { steal } : { signal: queued.signal }, () => {
        held = true;
        queued = null;
        now(true);
        return new Promise(() => {}); // for as long as the tab is there
      })
      .catch((error) => {
        if (error.name !== "AbortError") throw error;
        if (!held) return;
        now(false); // another tab took it
        hold(false);
      });
  };
  const claim = () => {
    if (speaks || document.visibilityState !== "visible") return;
    queued?.abort();
    hold(true);
  };
  hold(document.visibilityState === "visible" && document.hasFocus());
  addEventListener("focus", claim);
  document.addEventListener("visibilitychange", claim);
  return async () => speaks;
}

function byChannel() {
  const me = crypto.getRandomValues(new Uint32Array(2)).join("-");
  const channel = new BroadcastChannel(NAME);
  let there = null; // resolves once somebody says that they speak
  const claim = () => {
    channel.postMessage({ claim: me });
    now(true);
  };
  channel.addEventListener("message", ({ data }) => {
    if (data.claim) {
      if (speaks && document.hasFocus() && data.weak) claim(); // two at once: the one in front
      else now(false);
    }
    if (data.who && speaks) channel.postMessage({ here: me });
    if (data.here) there?.();
  });
  addEventListener("focus", claim);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") claim();
  });
  if (document.visibilityState === "visible") claim();
  return async () => {
    if (speaks) return true;
    const answered = await new Promise((resolve) => {
      there = () => resolve(true);
      setTimeout(() => resolve(false), ANSWER * (1 + Math.random()));
      channel.postMessage({ who: me });
    });
    there = null;
    if (!answered) {
      channel.postMessage({ claim: me, weak: true });
      now(true);
    }
    return speaks;
  };
}

/** Whether this tab is the one that speaks. */
export const voice = navigator.locks ? byLock() : byChannel();
