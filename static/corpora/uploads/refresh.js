// Refreshes the preview of a file when a choice of how it is read changes. Without a script, the button does that.

const WAIT_MS = 500;
const FOLDED = ".card > .card-body > details";

const form = document.getElementById("preview");
let running = false;
let again = false;

form.addEventListener("change", ({ target }) => {
  if (!target.closest("[data-refresh]")) return;
  again = true;
  if (!running) refresh();
});

// The last choice wins: what was chosen while the file was read is sent before anything is shown.
async function refresh() {
  running = true;
  busy(true);
  try {
    let page;
    while (again) {
      again = false;
      page = await ask();
    }
    show(page);
  } catch {
    // The button sends the form as if there was no script, and the page then says what is wrong.
    form.querySelector("[data-refresh-button]").click();
  } finally {
    running = false;
    busy(false);
  }
}

async function ask() {
  const body = new FormData(form);
  body.set("look", "1");
  let page = await load(form.action, { method: "POST", body });
  while (page.getElementById("looking")) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    page = await load(form.action);
  }
  return page;
}

async function load(address, request) {
  const response = await fetch(address, request);
  if (!response.ok) throw new Error(`${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function show(page) {
  const focused = document.activeElement?.id;
  // The site does not keep these before the import.
  const [dataset, name] = ["dataset", "name"].map((field) => form.elements.namedItem(field).value);
  const open = [...form.querySelectorAll(FOLDED)].map((part) => part.open);
  // Adopted as a whole, so that the listeners of the form itself stay.
  form.replaceChildren(...page.getElementById("preview").childNodes);
  for (const [index, part] of form.querySelectorAll(FOLDED).entries()) part.open ||= open[index];
  form.elements.namedItem("dataset").value = dataset;
  form.elements.namedItem("name").value = name;
  if (focused) document.getElementById(focused)?.focus();
  form.querySelector("[data-refresh-status]").textContent = "Preview refreshed.";
}

function busy(is) {
  form.setAttribute("aria-busy", String(is));
  if (is) form.querySelector("[data-refresh-status]").textContent = "Refreshing…";
}
