// The line to the server: connects, notices silence, comes back by itself, and says how it stands. One for the page,
// however many of its modules listen.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const SILENCE = 45_000; // the server says something at least every 20 s
const NOT_LOGGED_IN = 4401;

const lines = new Map(); // by path: everybody who listens to it

/**
 * Listen to a WebSocket. `heard(message)` gets each message, `stands(state, wait)` gets "on", "off" with the
 * milliseconds until the next try, or "out" when the login has ended. Modules that ask while the page loads hear
 * everything: it is opened once they all have.
 */
export function line(path, heard, stands) {
  const listeners = lines.get(path);
  if (listeners) {
    listeners.push({ heard, stands });
    return;
  }
  const first = [{ heard, stands }];
  lines.set(path, first);
  if (document.readyState === "complete") open(path, first);
  else addEventListener("load", () => open(path, first), { once: true });
}

function open(path, listeners) {
  let wait = FIRST_WAIT;
  let socket = null;
  let watchdog = null;
  let retry = null;

  const tell = (state, pause) => {
    for (const { stands } of listeners) stands(state, pause);
  };

  const listen = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => socket.close(), SILENCE);
  };

  const connect = () => {
    clearTimeout(retry);
    const mine = new WebSocket(new URL(path, location.href.replace(/^http/, "ws")));
    socket = mine;
    listen();
    mine.addEventListener("message", (event) => {
      if (mine !== socket) return;
      listen();
      wait = FIRST_WAIT;
      tell("on", 0);
      const message = JSON.parse(event.data);
      for (const { heard } of listeners) heard(message);
    });
    mine.addEventListener("close", (event) => {
      if (mine !== socket) return;
      clearTimeout(watchdog);
      socket = null;
      if (event.code === NOT_LOGGED_IN) {
        tell("out", 0);
        return;
      }
      const pause = wait * (0.7 + 0.6 * Math.random()); // so that a hundred desks do not come back at once
      tell("off", pause);
      retry = setTimeout(connect, pause);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    });
  };

  addEventListener("online", () => {
    if (socket === null) connect();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && socket === null) connect();
  });
  connect();
}
