// Keys of the review screen: an element with data-key="s" is pressed, or focused if it is a field, by that key.

let loading = false;

const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

function keyOf(event) {
  if (/^[1-5?]$/.test(event.key)) return event.key;
  // Layouts whose digits need Shift, such as the French one, still name the place of the key.
  const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code);
  return digit && !event.shiftKey ? digit[1] : event.key;
}

function pulse(element) {
  element.classList.remove("pulse");
  // Reading the layout lets the animation start anew.
  void element.offsetWidth;
  element.classList.add("pulse");
}

function press(element) {
  pulse(element);
  if (typing(element)) element.focus();
  else element.click();
}

function toggleKeys() {
  const dialog = document.getElementById("review-keys");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function keyInComment(event, comment) {
  if (event.key === "Escape") comment.blur();
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const given = document.querySelector('#review [data-key][aria-pressed="true"]');
  if (given) press(given);
  else document.querySelector('#review [data-key="1"]').focus();
}

document.addEventListener("keydown", (event) => {
  if (loading || event.repeat || event.isComposing) return;
  const comment = event.target.closest("#comment");
  if (comment) return keyInComment(event, comment);
  const modified = event.ctrlKey || event.metaKey || event.altKey || event.getModifierState("AltGraph");
  if (modified || typing(event.target)) return;
  const key = keyOf(event);
  if (document.querySelector("dialog[open]") && key !== "?") return;
  // Enter on a focused button or link is the browser's own.
  if (key === "Enter" && event.target.closest("a, button")) return;
  const wanted = key.length === 1 ? key.toLowerCase() : key;
  const element = document.querySelector(`[data-key~="${CSS.escape(wanted)}"]`);
  if (!element) return;
  event.preventDefault();
  press(element);
});

document.addEventListener("click", (event) => {
  if (event.target.closest('[data-key="?"]')) toggleKeys();
});

const ofReview = (event) => event.target.closest?.("#review");
document.addEventListener("htmx:beforeRequest", (event) => {
  if (ofReview(event)) loading = true;
});
for (const name of ["htmx:afterSettle", "htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (!ofReview(event)) return;
    loading = false;
    // The pressed button is gone: a keyboard goes on from the top of the new answer.
    if (name === "htmx:afterSettle") document.getElementById("review").focus();
  });
}
