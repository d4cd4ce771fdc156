// A classic script in the head, so that the page is never painted in the wrong colours first.
(() => {
  const KEY = "theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  const choice = () => {
    try {
      return localStorage.getItem(KEY) ?? "auto";
    } catch {
      return "auto"; // Storage is off: follow the device.
    }
  };

  const show = () => {
    const chosen = choice();
    const theme = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
    if (root.dataset.bsTheme !== theme) {
      root.dataset.bsTheme = theme;
      document.dispatchEvent(new CustomEvent("themechange"));
    }
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
    }
  };

  show();
  system.addEventListener("change", show);
  addEventListener("storage", show);
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem(KEY, button.dataset.themeChoice);
    } catch {
      root.dataset.bsTheme = button.dataset.themeChoice;
    }
    show();
  });
})();
