// One upload on the page: its phase, bar, note and buttons; and what becomes of it once all bytes have been sent.
import { duration, size } from "./upload-figures.js";

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
    this.part("pause").hidden = false;
    this.part("resume").hidden = true;
  }

  paused() {
    this.phase("Paused", "grey");
    this.part("pause").hidden = true;
    this.part("resume").hidden = false;
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
  }

  looking() {
    this.phase("Looking at it", "blue", size(Number(this.element.dataset.bytes)));
    this.part("bar").hidden = true;
  }

  ready(text, colour, button, url) {
    this.phase(text, colour, size(Number(this.element.dataset.bytes)));
    this.part("bar").hidden = true;
    const link = this.part("page");
    link.textContent = button;
    link.href = url;
    link.hidden = false;
  }
}

// Ask how far the upload is until it waits for the person, is a version, or has failed.
export async function follow(row, site, opened) {
  row.looking();
  for (;;) {
    const answer = await fetch(`${site.endpoint}${row.id}/`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 404) {
      row.failed("It was cancelled.");
      return;
    }
    const upload = answer?.ok ? await answer.json() : null;
    if (upload?.state === "waiting") {
      row.ready("Waiting for you", "orange", "See how it reads", upload.links.page);
      opened(row, upload.links.page);
      return;
    }
    if (upload?.state === "done") {
      row.part("cancel").hidden = true;
      row.ready("Done", "green", "See the version", upload.links.page);
      return;
    }
    if (upload?.state === "failed") {
      row.failed(upload.error.text);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// Cancel the upload on the server; one that is gone already is fine.
export async function cancelled(site, id) {
  const answer = await fetch(`${site.endpoint}${id}/`, { method: "DELETE", headers: { "X-CSRFToken": site.token } });
  if (!answer.ok && answer.status !== 404) throw new Error("not cancelled");
}
