// The drop area names the file that was chosen, and the form shows how much of it has been sent.
// The form is replaced when it comes back with errors, so everything listens on the document.

const size = (bytes) => {
  const units = ["bytes", "kB", "MB", "GB"];
  let step = 0;
  for (; bytes >= 1000 && step < units.length - 1; step += 1) bytes /= 1000;
  return `${bytes.toFixed(step ? 1 : 0)} ${units[step]}`;
};

function prepare() {
  document.querySelectorAll("[data-drop-area]").forEach((area) => area.classList.add("drop-area-ready"));
}

document.addEventListener("change", (event) => {
  const area = event.target.closest("[data-drop-area]");
  if (!area) return;
  const file = event.target.files[0];
  area.classList.toggle("has-file", Boolean(file));
  area.querySelector("[data-drop-text]").textContent = file
    ? `${file.name} (${size(file.size)})`
    : "Choose a file, or drop it here";
});

for (const [type, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(type, (event) => {
    event.target.closest?.("[data-drop-area]")?.classList.toggle("is-over", over);
  });
}

document.addEventListener("htmx:xhr:progress", (event) => {
  const block = event.target.querySelector("[data-upload-progress]");
  if (!block || !event.detail.lengthComputable) return;
  block.hidden = false;
  block.querySelector("progress").value = event.detail.loaded / event.detail.total;
});

document.addEventListener("htmx:load", prepare);
prepare();
