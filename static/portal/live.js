// Live parts (components/live.html): each asks for itself anew every `data-live` seconds. While the site does not answer
// it asks later and later, and the page says so. A part that comes back without the mark has ended.

const LAST = 30000;
const delays = new WeakMap();

function watch(part, milliseconds) {
  delays.set(part, milliseconds);
  setTimeout(ask, milliseconds, part);
}

function ask(part) {
  if (part.isConnected) globalThis.htmx.trigger(part, "refresh");
}

// On the page itself, and on every part that is swapped in.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  const parts = elt.matches("[data-live]") ? [elt] : elt.querySelectorAll("[data-live]");
  for (const part of parts) if (!delays.has(part)) watch(part, Number(part.dataset.live) * 1000);
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  // Not detail.elt: the part that asked has been replaced by now, and that is one still on the page.
  const part = detail.requestConfig.elt;
  if (!part.matches("[data-live]")) return;
  document.getElementById("live-note").hidden = detail.successful;
  if (!detail.successful) watch(part, Math.min(Math.max(delays.get(part), 1000) * 2, LAST));
});

globalThis.addEventListener("online", () => document.querySelectorAll("[data-live]").forEach(ask));
