// Redrawing without losing one's place: an element takes over what a freshly drawn one shows, and stays the same element.
// Focus, caret, selection and scroll live in elements; only what differs is touched.

/** Whether two nodes are the same thing, drawn twice. */
const same = (old, fresh) => old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && keyOf(old) === keyOf(fresh);

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null);

/**
 * Make `old` look like `fresh`. Children that carry a `data-key` are known by it, others by their place among their kind.
 * An element with `data-live` keeps its inside: another module draws there.
 */
export function patch(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.hasAttribute("data-live")) return;
  const left = [...old.childNodes];
  const matched = [...fresh.childNodes].map((child) => {
    const at = left.findIndex((one) => same(one, child));
    return [child, at < 0 ? null : left.splice(at, 1)[0]];
  });
  for (const gone of left) gone.remove();
  let next = old.firstChild;
  for (const [child, known] of matched) {
    if (known === null) old.insertBefore(child, next);
    else {
      if (known === next) next = next.nextSibling;
      else old.insertBefore(known, next);
      patch(known, child);
    }
  }
}
