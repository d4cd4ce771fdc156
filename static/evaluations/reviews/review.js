// The review screen: the next answers are in the page already, so the following one shows at once; grades are sent
// behind it. Every key of the screen is here.

import { selected, textOf, Words } from "./marks.js";
import { Outbox } from "./outbox.js";

const root = document.getElementById("review");
const list = () => document.getElementById("review-answers");
const keysDialog = document.getElementById("review-keys");
const skipDialog = document.getElementById("review-skip");
const markDialog = document.getElementById("review-mark");
const about = `review:${root.dataset.person}:${root.dataset.round}`;
const AHEAD = 6;
const REMEMBERED = 20;

let current = null;
let question = 0;
let words = null;
let marking = null;
let shownAt = 0;
let loading = null;
// What was last done, the newest last: [article, method].
const done = [];
// Items that are done here, whatever a page says that was on its way meanwhile.
const finished = new Set();

const token = document.querySelector("#review [name=csrfmiddlewaretoken]")?.value ?? "";
const outbox = new Outbox(`${about}:outbox`, token, {
  changed: showState,
  sent,
  rejected,
});

function sent(reply) {
  if (reply.progress) showProgress(reply.progress);
  // What was asked for while this grade was on its way may have brought nothing new.
  fill();
  const box = root.querySelector("[data-second]");
  box.hidden = !reply.judge;
  if (reply.judge)
    box.textContent = `Your last answer: the automatic grade was ${reply.judge.grade.toFixed(1)}. ${reply.judge.reason}`;
}

function rejected(code, text) {
  if (code === "review:round_closed") {
    for (const item of waiting()) item.isDone = true;
    goOn();
  }
  complain(text);
}

const questions = () => [...current.querySelectorAll("[data-question]")];
const field = (name) => current.querySelector(`[name="${name}"]`);
const answer = () => current.querySelector("[data-answer]");

function say(text) {
  root.querySelector("[data-said]").textContent = text;
}

function complain(text) {
  const box = root.querySelector("[data-problem]");
  box.textContent = text;
  box.hidden = !text;
}

function showState({ waiting, problem }) {
  const text = waiting ? `${waiting} ${waiting === 1 ? "grade waits" : "grades wait"} to be sent` : "Saved";
  root.querySelector("[data-saved]").textContent = text;
  if (problem) complain(problem);
}

let progress = { done: 0, total: 0, minutes_left: null };

function showProgress(known) {
  progress = known;
  const { done, total, minutes_left } = known;
  const waiting = outbox.entries.filter((entry) => entry.method === "PUT").length;
  const bar = root.querySelector("progress");
  bar.max = total;
  bar.value = done + waiting;
  const left = minutes_left !== null && total > done + waiting ? ` · about ${minutes_left} min left` : "";
  root.querySelector("[data-progress]").textContent = `${Math.min(done + waiting, total)} of ${total}${left}`;
}

// What is written before it is given, in this browser.

const draftKey = (item) => `${about}:draft:${item.dataset.item}`;

function valuesOf(item) {
  const chosen = {};
  for (const input of item.querySelectorAll("input[type=radio]:checked")) chosen[input.name] = input.value;
  const text = (name) => item.querySelector(`[name="${name}"]`)?.value ?? "";
  return { chosen, comment: text("comment"), correction: text("correction"), marks: item.marks ?? [] };
}

function keepDraft() {
  localStorage.setItem(draftKey(current), JSON.stringify(valuesOf(current)));
  if (!outbox.entries.length) root.querySelector("[data-saved]").textContent = "Draft saved";
}

function takeDraft(item) {
  const draft = JSON.parse(localStorage.getItem(draftKey(item)) || "null");
  if (!draft) return;
  for (const [name, value] of Object.entries(draft.chosen)) {
    const input = item.querySelector(`input[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`);
    if (input) input.checked = true;
  }
  item.querySelector("[name=comment]").value = draft.comment;
  const correction = item.querySelector("[name=correction]");
  if (correction && draft.correction) {
    correction.value = draft.correction;
    correction.closest("details").open = true;
  }
  item.marks = draft.marks;
}

// Showing.

function show(item) {
  for (const other of list().children) other.hidden = other !== item;
  current = item.dataset.item ? item : null;
  words = null;
  if (current) {
    complain("");
    if (!current.marks) takeDraft(current);
    current.marks ??= [];
    showMarks();
    question = 0;
    turnTo(
      Math.max(
        0,
        questions().findIndex((one) => !one.querySelector(":checked")),
      ),
    );
    shownAt = performance.now();
    say(`Answer ${current.dataset.number}`);
  }
  item.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function turnTo(place) {
  question = Math.min(Math.max(place, 0), questions().length - 1);
  questions().forEach((one, index) => {
    one.classList.toggle("review-question-now", index === question);
  });
  questions()[question].scrollIntoView({ block: "nearest" });
}

function showMarks() {
  const box = current.querySelector("[data-marks]");
  box.replaceChildren(
    ...current.marks.map((mark, place) => {
      const line = document.createElement("li");
      const quote = document.createElement("q");
      quote.textContent = mark.text;
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "btn-close";
      remove.setAttribute("aria-label", "Remove this comment");
      remove.addEventListener("click", () => {
        current.marks.splice(place, 1);
        showMarks();
        keepDraft();
      });
      line.append(quote, ` ${mark.note}`, remove);
      return line;
    }),
  );
  box.hidden = !current.marks.length;
}

const waiting = () => [...list().children].filter((item) => item.dataset.item && !item.isDone);

// Fetches more answers once few are left; ones that are here or on their way are left out.
async function fill() {
  if (loading || waiting().length >= AHEAD) return loading;
  loading = fetchMore().finally(() => {
    loading = null;
  });
  return loading;
}

async function fetchMore() {
  const ahead = Math.min(AHEAD + outbox.entries.length + 1, 10);
  let page;
  try {
    const reply = await fetch(`${root.dataset.here}?ahead=${ahead}`, { headers: { Accept: "text/html" } });
    if (!reply.ok || reply.redirected) return;
    page = new DOMParser().parseFromString(await reply.text(), "text/html");
  } catch {
    return;
  }
  const here = new Set([...list().children].filter((item) => !item.isDone).map((item) => item.dataset.item));
  const end = page.querySelector("[data-end]");
  for (const item of page.querySelectorAll(".review-item")) {
    if (here.has(item.dataset.item) || finished.has(item.dataset.item)) continue;
    item.hidden = true;
    list().querySelector("[data-end]")?.remove();
    list().append(document.importNode(item, true));
  }
  if (end && !waiting().length && !outbox.entries.length) {
    list().querySelector("[data-end]")?.remove();
    list().append(document.importNode(end, true));
  }
}

async function goOn() {
  const following = waiting()[0];
  if (following) {
    show(following);
    fill();
    return;
  }
  current = null;
  for (const item of list().children) item.hidden = true;
  say("Loading the next answer");
  // The last grades must be with the server before it can say that all is done.
  while (!waiting().length && !list().querySelector("[data-end]")) {
    await fill();
    if (!waiting().length && !list().querySelector("[data-end]")) await new Promise((go) => setTimeout(go, 300));
  }
  show(waiting()[0] ?? list().querySelector("[data-end]"));
}

// Giving.

function given() {
  const values = valuesOf(current);
  const grades = {};
  const body = { comment: values.comment, marks: values.marks, seconds: (performance.now() - shownAt) / 1000 };
  for (const one of questions()) {
    const input = one.querySelector(":checked");
    if (!input) continue;
    if (one.dataset.criterion) grades[one.dataset.criterion] = Number(input.value);
    else if (input.name === "choice") body.choice = input.value;
    else body.grade = Number(input.value);
  }
  if (Object.keys(grades).length) body.grades = grades;
  const correction = values.correction.trim();
  if (correction && correction !== textOf(answer()).trim()) body.correction = values.correction;
  return body;
}

function finish(method, url, body) {
  const item = current;
  item.isDone = true;
  finished.add(item.dataset.item);
  localStorage.removeItem(draftKey(item));
  done.push([item, method]);
  if (done.length > REMEMBERED) done.shift()[0].remove();
  outbox.add({ item: item.dataset.item, method, url, body });
  if (method === "POST") progress.total -= 1;
  showProgress(progress);
  goOn();
}

function next() {
  const missing = questions().findIndex((one) => "required" in one.dataset && !one.querySelector(":checked"));
  if (missing >= 0) {
    turnTo(missing);
    const title = questions()[missing].querySelector("legend").textContent.trim();
    complain(`Choose a grade: ${title}`);
    return;
  }
  if (!current.querySelector(":checked")) return complain("Choose at least one grade.");
  finish("PUT", current.querySelector("form").dataset.review, given());
}

function skip(reason) {
  finish("POST", current.querySelector("form").dataset.skip, { reason });
}

function undo() {
  const last = done.pop();
  if (!last) return say("Nothing to undo");
  const [item, method] = last;
  item.isDone = false;
  finished.delete(item.dataset.item);
  list().querySelector("[data-end]")?.remove();
  if (!outbox.drop(item.dataset.item)) {
    // Its reply says how far one is; until then, this does.
    if (method === "PUT") progress.done -= 1;
    else progress.total += 1;
    outbox.add({ item: item.dataset.item, method: "DELETE", url: item.querySelector("form").dataset.review });
  }
  showProgress(progress);
  show(item);
}

// Keys.

function comment() {
  const box = answer();
  if (root.querySelectorAll(`[data-item="${current.dataset.item}"] [data-answer]`).length > 1)
    return field("comment").focus();
  const found = selected(box);
  if (found) return askForNote(found);
  words = new Words(box);
  if (!words.words.length) {
    words = null;
    field("comment").focus();
  } else say("Choose words with the arrow keys, then press Enter. Escape to comment on the whole answer.");
}

function askForNote(found) {
  marking = found;
  markDialog.querySelector("[data-words]").textContent = found.text;
  document.getElementById("mark-note").value = "";
  markDialog.showModal();
  document.getElementById("mark-note").focus();
}

markDialog.addEventListener("close", () => {
  const note = document.getElementById("mark-note").value.trim();
  if (markDialog.returnValue === "add" && current && marking) {
    current.marks.push({ ...marking, note });
    showMarks();
    keepDraft();
  }
  marking = null;
  document.getSelection().removeAllRanges();
  current?.focus({ preventScroll: true });
});

skipDialog.addEventListener("close", () => {
  const reason = skipDialog.returnValue;
  if (!reason || !current) return current?.focus({ preventScroll: true });
  skip(reason === "other" ? document.getElementById("skip-reason").value : reason);
});

function correct() {
  const box = field("correction");
  if (!box) return;
  box.closest("details").open = true;
  if (!box.value) box.value = textOf(answer());
  box.focus();
}

const ACTIONS = {
  next,
  undo,
  skip: () => {
    skipDialog.returnValue = "";
    document.getElementById("skip-reason").value = "";
    skipDialog.showModal();
  },
  keys: () => (keysDialog.open ? keysDialog.close() : keysDialog.showModal()),
};

function digitOf(event) {
  if (/^\d$/.test(event.key)) return Number(event.key);
  // Layouts whose digits need Shift, such as the French one, still name the place of the key.
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  return digit && !event.shiftKey ? Number(digit[1]) : null;
}

function choose(digit) {
  const one = questions()[question];
  const inputs = [...one.querySelectorAll("input")];
  const isPair = inputs[0].name === "choice";
  const wanted = isPair ? { 1: "first", 2: "second", 0: "tie" }[digit] : String(digit);
  const ten = digit === 0 && !isPair ? inputs.find((input) => input.value === "10") : null;
  const input = inputs.find((each) => each.value === wanted) ?? ten;
  if (!input) return;
  input.checked = true;
  chosen(input);
  if (question < questions().length - 1) turnTo(question + 1);
}

function chosen(input) {
  complain("");
  const anchor = input.closest("[data-question]").querySelector("[data-anchor]");
  if (anchor) anchor.textContent = input.closest("label").title;
  keepDraft();
}

function keyInWords(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) words.move(step, event.shiftKey);
  else if (event.key === "Enter") {
    const found = selected(answer());
    words = null;
    if (found) askForNote(found);
  } else if (event.key === "Escape") {
    words = null;
    document.getSelection().removeAllRanges();
    field("comment").focus();
  } else return;
  event.preventDefault();
}

const KEYS = {
  Enter: () => next(),
  ArrowUp: () => turnTo(question - 1),
  ArrowDown: () => turnTo(question + 1),
  s: () => ACTIONS.skip(),
  u: () => undo(),
  c: () => comment(),
  e: () => correct(),
  d: () => {
    const hidden = root.classList.toggle("review-plain");
    localStorage.setItem("review:plain", hidden ? "1" : "");
  },
  t: () => questions()[question].querySelector('[value="tie"]') && choose(0),
};

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.isComposing) return;
  const modified = event.ctrlKey || event.metaKey || event.altKey || event.getModifierState("AltGraph");
  if (skipDialog.open && /^[1-3]$/.test(event.key) && !event.target.closest("input")) {
    event.preventDefault();
    return skipDialog.querySelectorAll(".review-reasons > button")[Number(event.key) - 1].click();
  }
  if (event.key === "?" && !event.target.closest("textarea, input:not([type=radio])")) return ACTIONS.keys();
  if (document.querySelector("dialog[open]")) return;
  if (event.target.closest("textarea, select, input:not([type=radio])")) {
    if (event.key === "Escape") event.target.blur();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && current) {
      event.preventDefault();
      next();
    }
    return;
  }
  if (modified) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!current) return key === "u" ? undo() : undefined;
  if (words) return keyInWords(event);
  const digit = digitOf(event);
  // Enter on a button, a link or a summary is the browser's own.
  const isOwn = key === "Enter" && event.target.closest("a, button, summary");
  if (isOwn || (digit === null && !KEYS[key])) return;
  event.preventDefault();
  if (digit !== null) choose(digit);
  else KEYS[key]();
});

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-press]");
  if (!pressed || (pressed.dataset.press !== "keys" && !current && pressed.dataset.press !== "undo")) return;
  event.preventDefault();
  ACTIONS[pressed.dataset.press]();
});

root.addEventListener("change", (event) => {
  if (event.target.type === "radio") {
    turnTo(questions().indexOf(event.target.closest("[data-question]")));
    chosen(event.target);
  }
});
root.addEventListener("input", (event) => current && event.target.tagName === "TEXTAREA" && keepDraft());

document.documentElement.classList.add("js");
root.classList.toggle("review-plain", Boolean(localStorage.getItem("review:plain")));
for (const item of outbox.items) finished.add(item);
for (const item of [...list().children]) if (finished.has(item.dataset.item)) item.remove();
showProgress({
  done: Number(list().dataset.done),
  total: Number(list().dataset.total),
  minutes_left: list().dataset.minutes ? Number(list().dataset.minutes) : null,
});
outbox.send();
if (list().children.length) show(list().children[0]);
else goOn();
fill();
