// The API's page: what a link points at opens.

/** Open the entry that the address names. */
function open() {
  const entry = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (entry instanceof HTMLDetailsElement) {
    entry.open = true;
    entry.scrollIntoView({ block: "start" });
  }
}

addEventListener("hashchange", open);
open();
