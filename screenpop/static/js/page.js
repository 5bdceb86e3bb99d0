// What every page's own module uses: the translated words, elements made without markup, times of the site.

const data = JSON.parse(document.getElementById("page-data")?.textContent ?? "{}");

/** Who reads, and the phone they sit at (null: none). */
export const me = { login: data.login ?? null, seat: data.seat ?? null };

/** A translated text with its {holes} filled. A missing one throws, so that a test finds it. */
export function say(key, holes = {}) {
  const text = data.words?.[key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, hole) => String(holes[hole] ?? ""));
}

/** What a code is called, or the code itself: a newer room may say more than this page knows. */
export const called = (table, code) => data.words?.[`${table}.${code}`] ?? code;

/** An element. Texts become text nodes: whatever a caller or a CRM wrote stays text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** One symbol of the page's icon sheet. */
export function icon(name, size = 20) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${data.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** Seconds as m:ss. */
export function lasted(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Canada writes dates as ISO 8601 does, in either of our languages' pages.
const day = new Intl.DateTimeFormat("en-CA", { timeZone: data.zone, year: "numeric", month: "2-digit", day: "2-digit" });

/** A moment as summaries have it (`2026-04-15T17:00`, `2026-04-15T14:00/16:00`, a day), for people. */
export const byWhen = (text) => text.replace("T", " ").replace("/", "–");

/** The site's day of an epoch time in seconds. */
export const dayOf = (seconds) => day.format(new Date(seconds * 1000));

const clock = new Intl.DateTimeFormat("en-GB", { timeZone: data.zone, hour: "2-digit", minute: "2-digit" });

/** The site's time of an epoch time in seconds, with the day where that is not today. */
export function clockOf(seconds) {
  const time = clock.format(new Date(seconds * 1000));
  return dayOf(seconds) === dayOf(Date.now() / 1000) ? time : `${dayOf(seconds)} ${time}`;
}

/** Dates that came as ISO text have no zone: they are shown as they are written. */
export const yuan = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: "CNY", currencyDisplay: "narrowSymbol" });

/** Fetch a piece of page again and put it where the old one is; the link that had the focus has it. Our own server's HTML, escaped there. */
export async function renew(element) {
  try {
    const answer = await fetch(element.dataset.renew, { headers: { Accept: "text/html" } });
    if (answer.redirected) location.reload(); // to the login
    else if (answer.ok) {
      const fresh = await answer.text();
      const at = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      element.innerHTML = fresh;
      if (at !== null) element.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus({ preventScroll: true });
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // no answer: it stays as it is
  }
}

/** The same call at most once in a while, the last one not lost. */
export function calm(action, milliseconds) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      action();
    }, milliseconds);
  };
}

/** Names one after the other, as the page's language writes that. */
export const listed = (names) => names.join(document.documentElement.lang === "en" ? ", " : "、");

/** An E.164 number as people of the mainland read it; others as they are. */
export function grouped(e164) {
  const mobile = /^\+86(1\d\d)(\d{4})(\d{4})$/.exec(e164 ?? "");
  return mobile ? mobile.slice(1).join(" ") : (e164 ?? "").replace(/^\+86/, "");
}
