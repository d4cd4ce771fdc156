// Sends the files chosen or dropped on the page, two at a time, each with its own row. A file that was started before
// resumes where it stopped. After a single file, the page opens its preview.

import { PartsSender } from "./parts.js";
import { cancelled, follow, Row } from "./row.js";
import { TusSender } from "./tus.js";

const AT_ONCE = 2;

const form = document.getElementById("upload");
const list = document.querySelector("[data-upload-list]");
const status = document.querySelector("[data-upload-status]");
const site = {
  endpoint: form.dataset.uploads,
  dataset: form.dataset.dataset,
  token: form.querySelector("[name=csrfmiddlewaretoken]").value,
};
const Sender = "inParts" in form.dataset ? PartsSender : TusSender;
const waiting = [];
const sending = new Set();
let chosen = 0;

function add(files) {
  for (const file of files) {
    if ([...waiting, ...sending].some((job) => isSame(job.file, file))) {
      status.textContent = `${file.name} is already uploading.`;
      continue;
    }
    const row = Row.fromTemplate(document.getElementById("upload-row"), file);
    list.prepend(row.element);
    row.phase("Queued", "grey");
    document.getElementById("uploads").hidden = false;
    chosen += 1;
    waiting.push({ file, row });
    control(row);
  }
  next();
}

function take() {
  add([...input.files]);
  input.value = "";
}

function isSame(one, other) {
  return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
}

function next() {
  while (waiting.length && sending.size < AT_ONCE) send(waiting.shift());
}

function send(job) {
  const { file, row } = job;
  job.sender = new Sender(file, site, {
    found: (id) => adopt(row, id),
    progress: (sent) => row.progress(sent, file.size),
    interrupted: () => row.phase("Connection lost", "orange", "Resumes automatically."),
    done: () => end(job, () => follow(row, site, opened)),
    failed: (text) => end(job, () => row.failed(text)),
  });
  row.job = job;
  sending.add(job);
  row.sending();
  job.sender.start();
}

function end(job, then) {
  sending.delete(job);
  job.row.ended();
  then();
  next();
}

// The upload may already have a row from when the page was loaded.
function adopt(row, id) {
  const other = list.querySelector(`[data-upload="${CSS.escape(id)}"]`);
  if (other && other !== row.element) other.remove();
  row.adopt(id);
}

// The file has been inspected. With several files, the person chooses which one to open.
function opened(row, url) {
  status.textContent = `${row.name} is ready for review.`;
  if (chosen === 1 && sending.size === 0) location.assign(url);
}

function control(row) {
  row.on("pause", () => {
    row.job?.sender.pause();
    row.paused();
  });
  row.on("resume", () => {
    row.sending();
    row.job.sender.start();
  });
  row.on("cancel", async (event) => {
    event.preventDefault();
    const place = waiting.findIndex((job) => job.row === row);
    if (place >= 0) waiting.splice(place, 1);
    try {
      if (row.job?.sender) await row.job.sender.cancel();
      else if (row.id) await cancelled(site, row.id);
    } catch {
      row.failed("The upload could not be cancelled. Try again.");
      return;
    }
    status.textContent = `${row.name} was cancelled.`;
    row.element.remove();
    document.getElementById("uploads").hidden = !list.children.length;
    if (row.job && sending.delete(row.job)) next();
  });
}

for (const element of list.querySelectorAll("[data-upload]")) {
  const row = new Row(element);
  control(row);
  if (row.state === "inspecting" || row.state === "done") follow(row, site, () => {});
}

const area = form.querySelector("[data-drop-area]");
const input = area.querySelector("input[type=file]");
area.classList.add("drop-area-ready");
input.multiple = true;
input.addEventListener("change", take);
// Files may have been chosen before this script ran.
if (input.files.length) take();
for (const [type, over] of [
  ["dragover", true],
  ["dragleave", false],
  ["drop", false],
]) {
  area.addEventListener(type, () => area.classList.toggle("is-over", over));
}
form.addEventListener("submit", (event) => event.preventDefault());

addEventListener("online", () => {
  for (const job of sending) job.sender.wake();
});
addEventListener("beforeunload", (event) => {
  if (sending.size) event.preventDefault();
});
