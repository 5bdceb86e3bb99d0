// The line to the server: connects, notices silence, comes back by itself, and says how it stands.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const SILENCE = 45_000; // the server says something at least every 20 s
const NOT_LOGGED_IN = 4401;

/**
 * Keep a WebSocket open. `heard(message)` gets each message, `stands(state, wait)` gets "on", "off" with the
 * milliseconds until the next try, or "out" when the login has ended.
 */
export function line(path, heard, stands) {
  let wait = FIRST_WAIT;
  let socket = null;
  let watchdog = null;
  let retry = null;

  const listen = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => socket.close(), SILENCE);
  };

  const open = () => {
    clearTimeout(retry);
    const mine = new WebSocket(new URL(path, location.href.replace(/^http/, "ws")));
    socket = mine;
    listen();
    mine.addEventListener("message", (event) => {
      if (mine !== socket) return;
      listen();
      wait = FIRST_WAIT;
      stands("on", 0);
      heard(JSON.parse(event.data));
    });
    mine.addEventListener("close", (event) => {
      if (mine !== socket) return;
      clearTimeout(watchdog);
      socket = null;
      if (event.code === NOT_LOGGED_IN) {
        stands("out", 0);
        return;
      }
      const pause = wait * (0.7 + 0.6 * Math.random()); // so that a hundred desks do not come back at once
      stands("off", pause);
      retry = setTimeout(open, pause);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    });
  };

  addEventListener("online", () => {
    if (socket === null) open();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && socket === null) open();
  });
  open();
}
