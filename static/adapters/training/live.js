// Keeps the part marked [data-live] up to date. While the site does not answer it asks later and later, and says so;
// a part that comes without the mark has ended.

const FIRST = 2000;
const LAST = 30000;

let delay = FIRST;
let timer;

function ask() {
  const part = document.querySelector("[data-live]");
  if (part) globalThis.htmx.trigger(part, "refresh");
}

function askAfter(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(ask, milliseconds);
}

document.addEventListener("htmx:afterRequest", (event) => {
  // Not event.detail.elt: the part that asked has been replaced by now, and that is one still on the page.
  if (!event.detail.requestConfig.elt.matches("[data-live]")) return;
  delay = event.detail.successful ? FIRST : Math.min(delay * 2, LAST);
  document.getElementById("live-note").hidden = event.detail.successful;
  askAfter(delay);
});
globalThis.addEventListener("online", () => askAfter(0));
askAfter(FIRST);
