// Menus of the frame: <details> that work without scripts; here they close as people expect, and arrows walk in them.

const ITEMS = "a[href], button:not([disabled]), input:not([type=hidden]), select";

/** The menu's parts that take the focus. */
const items = (menu) => [...menu.querySelectorAll(ITEMS)].filter((item) => item.offsetParent !== null);

function close(menu) {
  if (!menu.open) return;
  const held = menu.contains(document.activeElement);
  menu.open = false;
  if (held) menu.querySelector("summary").focus();
}

/** Open a menu and go to its first item. */
export function openMenu(menu) {
  menu.open = true;
  (items(menu.querySelector(".menu-panel"))[0] ?? menu.querySelector("summary")).focus(); // the list may be still to come
}

export const closeMenu = close;

for (const menu of document.querySelectorAll("details.menu")) {
  menu.addEventListener("toggle", () => {
    if (!menu.open) return;
    for (const other of document.querySelectorAll("details.menu[open]")) if (other !== menu) other.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      event.stopPropagation();
      close(menu);
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.matches("input, select, textarea")) return;
    if (!menu.open) menu.open = true;
    const all = items(menu.querySelector(".menu-panel"));
    const at = all.indexOf(document.activeElement);
    all[at === -1 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]?.focus();
    event.preventDefault();
  });
}

// The focus may be lost with what was drawn anew.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && !event.defaultPrevented ? document.querySelector("details.menu[open]") : null;
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

document.addEventListener("pointerdown", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("focusin", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
