// Light or dark, before the first paint: this is the one script that is no module, because modules wait.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const chosen = localStorage.getItem("theme");
    root.dataset.bsTheme = chosen ?? (dark.matches ? "dark" : "light");
  };
  dark.addEventListener("change", paint);
  addEventListener("storage", paint);
  paint();
  addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.addEventListener("click", () => {
        localStorage.setItem("theme", root.dataset.bsTheme === "dark" ? "light" : "dark");
        paint();
      });
    }
  });
})();
