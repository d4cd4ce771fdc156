// Sends a file in parts directly to storage. `events`: found(id), progress(sent), interrupted(), done(), failed(text).
import { problem } from "./figures.js";
import { cancelled } from "./row.js";

const AT_ONCE = 3;
const WAITS_MS = [0, 1000, 3000, 5000, 10000, 20000];

class Refused extends Error {}

export class PartsSender {
  constructor(file, site, events) {
    Object.assign(this, { file, site, events });
    this.key = `upload-parts:${site.endpoint}:${file.name}:${file.size}:${file.lastModified}`;
    this.running = null;
    this.requests = new Map();
  }

  start() {
    const run = {};
    this.running = run;
    this.#run(run);
  }

  pause() {
    this.running = null;
    for (const request of this.requests.keys()) request.abort();
    this.requests.clear();
  }

  wake() {
    this.pause();
    this.start();
  }

  async cancel() {
    this.pause();
    if (this.id) await cancelled(this.site, this.id);
    localStorage.removeItem(this.key);
  }

  async #run(run) {
    for (let tries = 0; this.running === run; ) {
      try {
        await this.#find();
        while (this.running === run && (await this.#batch())) tries = 0;
        if (this.running !== run) return;
        await this.#post(`${this.id}/complete/`);
        localStorage.removeItem(this.key);
        this.events.done();
        return;
      } catch (error) {
        if (this.running !== run) return;
        if (error instanceof Refused) {
          this.events.failed(error.message);
          return;
        }
        this.events.interrupted();
        await new Promise((resolve) => setTimeout(resolve, WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)]));
      }
    }
  }

  // Resume an earlier upload of the file, or start a new one.
  async #find() {
    if (this.id) return;
    const known = localStorage.getItem(this.key);
    if (known) {
      const answer = await fetch(`${this.site.endpoint}${known}/`);
      if (answer.ok) this.id = known;
      else if (answer.status !== 404) throw new Error("not now");
    }
    if (!this.id) {
      const announced = { file_name: this.file.name, bytes: this.file.size };
      if (this.site.dataset) announced.dataset = this.site.dataset;
      this.id = (await this.#post("", announced)).id;
      localStorage.setItem(this.key, this.id);
    }
    this.events.found(this.id);
  }

  // Send the next parts. Resolves to whether there were any.
  async #batch() {
    const { received, parts } = await this.#post(`${this.id}/parts/`);
    this.received = received;
    this.#tell();
    const queue = [...parts];
    const work = async () => {
      for (let part = queue.shift(); part; part = queue.shift()) await this.#put(part);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return parts.length > 0;
  }

  // XMLHttpRequest, because fetch does not report upload progress.
  #put(part) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.requests.set(request, 0);
      request.open("PUT", part.url);
      request.upload.onprogress = (event) => {
        this.requests.set(request, event.loaded);
        this.#tell();
      };
      request.onloadend = () => {
        this.requests.delete(request);
        if (request.status !== 200) {
          reject(new Error("not now"));
          return;
        }
        this.received += part.bytes;
        this.#tell();
        resolve();
      };
      request.send(this.file.slice(part.offset, part.offset + part.bytes));
    });
  }

  #tell() {
    this.events.progress([...this.requests.values()].reduce((sum, sent) => sum + sent, this.received));
  }

  async #post(path, body) {
    const answer = await fetch(this.site.endpoint + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.site.token },
      body: JSON.stringify(body ?? {}),
    });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    if (answer.status >= 400 && answer.status < 500) throw new Refused(problem(text));
    throw new Error("not now");
  }
}
