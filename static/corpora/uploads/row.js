// One upload on the page: its phase, bar, note and buttons, and its progress after all bytes have been sent.
import { duration, size } from "./figures.js";

const POLL_MS = 1000;
const SPEED_MS = 8000;

export class Row {
  static fromTemplate(template, file) {
    const element = template.content.firstElementChild.cloneNode(true);
    element.dataset.name = file.name;
    element.dataset.bytes = file.size;
    element.querySelector("[data-upload-name]").textContent = file.name;
    element.querySelector("[data-upload-bar]").setAttribute("aria-label", file.name);
    return new Row(element);
  }

  constructor(element) {
    this.element = element;
    this.job = null;
    this.samples = [];
  }

  get id() {
    return this.element.dataset.upload;
  }

  get name() {
    return this.element.dataset.name;
  }

  get state() {
    return this.element.dataset.state;
  }

  adopt(id) {
    this.element.dataset.upload = id;
    this.part("pause").hidden = false;
  }

  on(button, listener) {
    const type = button === "cancel" ? "submit" : "click";
    this.part(button).addEventListener(type, listener);
  }

  part(name) {
    return this.element.querySelector(`[data-upload-${name}]`);
  }

  phase(text, colour, note) {
    const state = document.createElement("span");
    state.className = `state state-${colour}`;
    const dot = document.createElement("span");
    dot.className = "state-dot";
    dot.setAttribute("aria-hidden", "true");
    state.append(dot, text);
    this.part("phase").replaceChildren(state);
    if (note !== undefined) this.part("note").textContent = note;
  }

  sending() {
    this.samples = [];
    this.phase("Uploading", "blue", "");
    this.part("bar").hidden = false;
    // Without an id, pausing would start the upload a second time.
    this.swap("resume", this.id ? "pause" : null);
  }

  // Replace one button with another, and move the focus along.
  swap(hidden, shown) {
    const had = document.activeElement === this.part(hidden);
    if (shown) this.part(shown).hidden = false;
    if (shown && had) this.part(shown).focus();
    this.part(hidden).hidden = true;
  }

  paused() {
    this.phase("Paused", "grey");
    this.swap("pause", "resume");
  }

  progress(sent, total) {
    const now = performance.now();
    this.samples.push([now, sent]);
    while (now - this.samples[0][0] > SPEED_MS) this.samples.shift();
    const [begun, before] = this.samples[0];
    const speed = now > begun ? ((sent - before) / (now - begun)) * 1000 : 0;
    const left = speed > 0 ? ` · ${size(speed)}/s · ${duration((total - sent) / speed)} left` : "";
    this.phase("Uploading", "blue", `${size(sent)} of ${size(total)}${left}`);
    this.part("bar").value = sent / total;
  }

  ended() {
    this.part("pause").hidden = true;
    this.part("resume").hidden = true;
  }

  failed(text) {
    this.phase("Failed", "red", text);
    this.part("bar").hidden = true;
    this.cancelling("Remove entry");
  }

  cancelling(text) {
    this.part("cancel").querySelector("button").textContent = text;
  }

  looking() {
    this.phase("Inspecting", "blue", size(Number(this.element.dataset.bytes)));
    this.part("bar").hidden = true;
  }

  checking(job) {
    const waits = job.state === "queued" ? "starts as soon as capacity is free" : "";
    const left = job.eta_seconds ? `about ${duration(job.eta_seconds)} left` : "";
    const note = [size(Number(this.element.dataset.bytes)), waits || left].filter(Boolean).join(" · ");
    this.phase(job.phase === "profiling" ? "Profiling" : "Checking", "blue", note);
    const bar = this.part("bar");
    bar.hidden = false;
    bar.value = job.fraction;
    this.part("cancel").hidden = true;
  }

  waiting({ inspection, links }) {
    this.cancelling("Discard file");
    const trouble = inspection && !inspection.columns.length ? inspection.problems[0]?.text : "";
    const bytes = size(Number(this.element.dataset.bytes));
    if (trouble) this.ready("Not readable", "red", "View problem", links.page, `${bytes}. ${trouble}`);
    else this.ready("Needs review", "orange", "Review file", links.page, bytes);
  }

  ready(text, colour, button, url, note) {
    this.phase(text, colour, note ?? size(Number(this.element.dataset.bytes)));
    this.part("bar").hidden = true;
    const link = this.part("page");
    link.textContent = button;
    link.href = url;
    link.hidden = false;
    link.classList.toggle("btn-primary", colour !== "green");
  }
}

// Poll the upload until it needs review, its version has been checked, or it has failed.
export async function follow(row, site, opened) {
  if (row.state !== "done") row.looking();
  for (;;) {
    const answer = await fetch(`${site.endpoint}${row.id}/`, { headers: { Accept: "application/json" } }).catch(
      () => null,
    );
    if (answer?.status === 404) {
      row.failed("The upload was cancelled.");
      return;
    }
    const upload = answer?.ok ? await answer.json() : null;
    if (upload?.state === "waiting") {
      row.waiting(upload);
      opened(row, upload.links.page);
      return;
    }
    if (upload?.state === "done" && checked(row, upload)) return;
    if (upload?.state === "failed") {
      row.failed(upload.error.text);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// Show the progress of the version's check. Returns whether it has ended.
function checked(row, { version, links }) {
  row.part("cancel").hidden = true;
  if (version?.state === "checking") {
    row.checking(version.job);
    return false;
  }
  if (version?.state === "rejected") row.ready("Rejected", "red", "View problems", links.page, version.error.text);
  else row.ready("Ready", "green", "View version", links.page);
  return true;
}

// Cancel the upload on the server. Succeeds if it is already gone.
export async function cancelled(site, id) {
  const answer = await fetch(`${site.endpoint}${id}/`, { method: "DELETE", headers: { "X-CSRFToken": site.token } });
  if (!answer.ok && answer.status !== 404) throw new Error("not cancelled");
}
