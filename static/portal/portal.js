// Copy buttons: <button data-copy="ID of the element whose text to copy">.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
  } catch {
    // Browsers refuse the clipboard on plain HTTP: leave the text selected for Ctrl+C.
    getSelection().selectAllChildren(source);
    source.select?.();
    return;
  }
  const label = button.querySelector("[data-copy-label]") ?? button;
  label.dataset.copyText ??= label.textContent;
  label.textContent = "Copied";
  setTimeout(() => {
    label.textContent = label.dataset.copyText;
  }, 2000);
});

// Filters: <form data-submit-on-change> sends itself.
document.addEventListener("change", (event) => {
  event.target.closest("form[data-submit-on-change]")?.requestSubmit();
});
