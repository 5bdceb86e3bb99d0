// Keyboard shortcuts: one list for the page, which `?` shows. Single keys can be switched off, and never fire in a field.

const OFF = "keys-off"; // in the browser's storage: somebody who speaks to the computer switched single keys off
const SEQUENCE = 1_000; // milliseconds between the two keys of "g t"
const SAME = { "？": "?", "、": "/", "／": "/" }; // what a Chinese keyboard makes of these keys
const FIELDS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range]), textarea, select, [contenteditable]";

const listed = []; // of [{key, words, action}], the newest last: it goes first
let begun = null; // the first key of a sequence, and when it was pressed

/** Whether a key pressed here would be text, or belongs to a dialog that is open. */
const busy = (event) => event.target.closest?.(FIELDS) || document.querySelector("dialog[open]") !== null;

/** Whether single keys are shortcuts. */
export const singleKeys = () => localStorage.getItem(OFF) === null;

/** Switch single keys on or off, in all tabs of this browser. */
export function useSingleKeys(on) {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
}

/**
 * Have a key do something: "?", "g t" (one after the other), "Ctrl+K" (Command too), "Alt+1", "Escape". `words` names
 * the text that `?` shows (null: not shown). An action that returns false leaves the key to whoever had it before, and
 * to the browser. A later shortcut of the same key goes first. Returns how to take it back.
 */
export function shortcut(key, words, action) {
  const mine = { key, words, action };
  listed.push(mine);
  return () => listed.splice(listed.indexOf(mine), 1);
}

/** What `?` shows: [keys, words], each key once and each words once, in the order they were named. */
export function shortcuts() {
  const last = new Map();
  for (const { key, words } of listed) if (words !== null) last.set(key, words);
  const shown = new Map();
  for (const [key, words] of last) shown.set(words, [...(shown.get(words) ?? []), key]);
  return [...shown].map(([words, keys]) => [keys, words]);
}

/** How a pressed key is spelled in `shortcut`. */
function spelled(event) {
  const held = [event.ctrlKey || event.metaKey ? "Ctrl+" : "", event.altKey ? "Alt+" : ""].join("");
  if (held) return held + (event.shiftKey ? "Shift+" : "") + (/^(?:Key|Digit)(.)$/.exec(event.code)?.[1] ?? event.key);
  return SAME[event.key] ?? (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

/** Do what a key is for; whether anything was done. */
function act(key, event) {
  for (const { key: its, action } of [...listed].reverse()) {
    if (its === key && action(event) !== false) {
      event.preventDefault();
      return true;
    }
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented || event.keyCode === 229) return; // 229: an input method has it
  const key = spelled(event);
  if (event.ctrlKey || event.metaKey || event.altKey || (key.length > 1 && !busy(event))) {
    act(key, event);
    return;
  }
  if (key.length > 1 || busy(event) || !singleKeys()) return;
  const first = begun !== null && event.timeStamp - begun.at < SEQUENCE ? begun.key : null;
  begun = null;
  if (first !== null && act(`${first} ${key}`, event)) return;
  if (act(key, event)) return;
  if (listed.some((one) => one.key.startsWith(`${key} `))) begun = { key, at: event.timeStamp };
});
