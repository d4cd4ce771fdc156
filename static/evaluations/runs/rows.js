// The grid: a row opens beside it, and j and k go to the next and the previous one.

const panel = document.getElementById("row-panel");

const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

// With these keys a browser opens a link in another tab, which htmx would prevent.
document.addEventListener(
  "click",
  (event) => {
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (elsewhere && event.target.closest("[data-row-link]")) event.stopPropagation();
  },
  true,
);

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target?.id !== "row-panel-body") return;
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
  document.getElementById("row-view").focus();
});

document.addEventListener("click", (event) => {
  // A click beside the panel is one on the dialog itself.
  if (event.target === panel || event.target.closest("[data-row-close]")) panel?.close();
});

document.addEventListener("keydown", (event) => {
  const modified = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
  if (modified || event.isComposing || typing(event.target)) return;
  const link = document.querySelector(`#row-view [data-key="${CSS.escape(event.key)}"]`);
  if (!link || (panel && !panel.open)) return;
  event.preventDefault();
  link.click();
});

// An address says only what is chosen.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("[data-without-empty]")) return;
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});
