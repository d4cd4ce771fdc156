// One upload on the page: its phase, bar, note and buttons; and what becomes of it once all bytes have been sent.
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
    // Broken off before the server has answered, the upload would be begun a second time.
    this.swap("resume", this.id ? "pause" : null);
  }

  // Hide one button for another, which gets the focus if the first had it.
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
    this.cancelling("Clear away");
  }

  cancelling(text) {
    this.part("cancel").querySelector("button").textContent = text;
  }

  looking() {
    this.phase("Looking at it", "blue", size(Number(this.element.dataset.bytes)));
    this.part("bar").hidden = true;
  }

  checking(job) {
    const waits = job.state === "queued" ? "It starts as soon as there is room." : "";
    const left = job.eta_seconds ? `about ${duration(job.eta_seconds)} left` : "";
    const note = [size(Number(this.element.dataset.bytes)), waits || left].filter(Boolean).join(" · ");
    this.phase(job.phase === "profiling" ? "Profiling" : "Checking", "blue", note);
    const bar = this.part("bar");
    bar.hidden = false;
    bar.value = job.fraction;
    this.part("cancel").hidden = true;
  }

  waiting({ inspection, links }) {
    this.cancelling("Discard");
    const trouble = inspection && !inspection.columns.length ? inspection.problems[0]?.text : "";
    const bytes = size(Number(this.element.dataset.bytes));
    if (trouble) this.ready("Cannot be read yet", "red", "See why", links.page, `${bytes}. ${trouble}`);
    else this.ready("Waiting for you", "orange", "See how it reads", links.page, bytes);
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

// Ask how far the upload is until it waits for the person, is a version that was checked, or has failed.
export async function follow(row, site, opened) {
  if (row.state !== "done") row.looking();
  for (;;) {
    const answer = await fetch(`${site.endpoint}${row.id}/`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 404) {
      row.failed("It was cancelled.");
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

// Show how far the check of the version is; whether it has ended.
function checked(row, { version, links }) {
  row.part("cancel").hidden = true;
  if (version?.state === "checking") {
    row.checking(version.job);
    return false;
  }
  if (version?.state === "rejected") row.ready("Rejected", "red", "See what is wrong", links.page, version.error.text);
  else row.ready("Ready", "green", "See the version", links.page);
  return true;
}

// Cancel the upload on the server; one that is gone already is fine.
export async function cancelled(site, id) {
  const answer = await fetch(`${site.endpoint}${id}/`, { method: "DELETE", headers: { "X-CSRFToken": site.token } });
  if (!answer.ok && answer.status !== 404) throw new Error("not cancelled");
}
