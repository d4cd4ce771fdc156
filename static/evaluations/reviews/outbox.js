// Grades on their way to the server: kept in the browser until it has them, and sent in the order they were given.

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;

const refused = (status) => status >= 400 && status < 500 && status !== 408 && status !== 429;

// `changed(state)` is told how many wait and why, `sent(reply)` what the server says to each that it took,
// `rejected(code, text)` why it will not take one.
export class Outbox {
  constructor(key, token, { changed, sent, rejected }) {
    this.key = key;
    this.token = token;
    this.tell = { changed, sent, rejected };
    this.entries = JSON.parse(localStorage.getItem(key) || "[]");
    this.wait = FIRST_WAIT;
    this.sending = false;
    this.timer = 0;
    window.addEventListener("online", () => this.send());
  }

  get items() {
    return this.entries.map((entry) => entry.item);
  }

  add(entry) {
    this.entries.push(entry);
    this.keep();
    this.send();
  }

  // Takes back what has not been sent. False if it is already on its way.
  drop(item) {
    const place = this.entries.findLastIndex((entry) => entry.item === item);
    if (place < 0 || (place === 0 && this.sending)) return false;
    this.entries.splice(place, 1);
    this.keep();
    return true;
  }

  keep(problem = "") {
    if (this.entries.length) localStorage.setItem(this.key, JSON.stringify(this.entries));
    else localStorage.removeItem(this.key);
    this.tell.changed({ waiting: this.entries.length, problem });
  }

  async send() {
    clearTimeout(this.timer);
    if (this.sending) return;
    this.sending = true;
    while (this.entries.length && (await this.sendFirst()));
    this.sending = false;
    if (!this.entries.length) this.tell.changed({ waiting: 0, problem: "" });
  }

  // Whether to go on with the next one.
  async sendFirst() {
    const entry = this.entries[0];
    let reply;
    try {
      reply = await fetch(entry.url, {
        method: entry.method,
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.token },
        body: entry.body === undefined ? undefined : JSON.stringify(entry.body),
        signal: AbortSignal.timeout(20000),
      });
    } catch {
      return this.later("");
    }
    if (reply.status === 401 || reply.status === 403) {
      return this.later("You are signed out. Sign in again in another tab, then reload this page.");
    }
    if (!reply.ok && !refused(reply.status)) return this.later("");
    this.wait = FIRST_WAIT;
    const said = await reply.json().catch(() => ({}));
    this.entries.shift();
    this.keep();
    if (reply.ok) this.tell.sent(said);
    else this.tell.rejected(said.code, said.title || "The server did not take this grade.");
    return true;
  }

  later(problem) {
    this.keep(problem);
    this.timer = setTimeout(() => this.send(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    return false;
  }
}
