// The list of calls: a filter is a click. By keyboard it is chosen first, and Enter or the button asks.

for (const control of document.querySelectorAll("[data-submits]")) {
  control.addEventListener("change", () => control.matches(":focus-visible") || control.form.requestSubmit()); // arrow keys only pass by
}
