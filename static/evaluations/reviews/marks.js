// Comments on words of an answer. Places are in characters as people count them, as the server does.

const characters = (text) => [...text].length;

// The place in the answer of a point in the document; null outside of it.
function placeOf(answer, node, offset) {
  const part = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest("[data-at]");
  if (!part || !answer.contains(part)) return null;
  const before = node.nodeType === Node.TEXT_NODE ? node.data.slice(0, offset) : offset ? part.textContent : "";
  return Number(part.dataset.at) + characters(before);
}

export function textOf(answer) {
  return [...answer.querySelectorAll("[data-at]")].map((part) => part.textContent).join("");
}

// {start, end, text} of what is selected in the answer; null if nothing is.
export function selected(answer) {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  const start = placeOf(answer, range.startContainer, range.startOffset);
  const end = placeOf(answer, range.endContainer, range.endOffset);
  if (start === null || end === null || end <= start) return null;
  return { start, end, text: [...textOf(answer)].slice(start, end).join("") };
}

// Words of an answer chosen by arrows: right and left move, with Shift they extend.
export class Words {
  constructor(answer) {
    this.answer = answer;
    this.words = [];
    for (const part of answer.querySelectorAll("[data-at]")) {
      const text = part.firstChild;
      if (text) for (const found of text.data.matchAll(/\S+/g)) this.words.push([text, found.index, found[0].length]);
    }
    this.first = this.last = 0;
    this.show();
  }

  move(step, extend) {
    const most = this.words.length - 1;
    this.last = Math.min(Math.max(this.last + step, 0), most);
    if (!extend) this.first = this.last;
    this.show();
  }

  show() {
    if (!this.words.length) return;
    const [from, to] = [Math.min(this.first, this.last), Math.max(this.first, this.last)];
    const [startNode, start] = this.words[from];
    const [endNode, end, length] = this.words[to];
    document.getSelection().setBaseAndExtent(startNode, start, endNode, end + length);
    endNode.parentElement.scrollIntoView({ block: "nearest" });
  }
}
