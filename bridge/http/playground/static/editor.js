// A text that is edited in a textarea and painted behind it: only the lines that are seen are painted, so a form of
// several megabytes costs no more than a small one. Values, marks of issues and changed lines are laid over the text.

const HEIGHT = 20, SPARE = 12, READ_ONLY = 1_500_000, LONG = 4000;
const TOKENS = {
  json: /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g,
  er7: /^[A-Z][A-Z0-9]{2}(?=.)|[|^~\\&]+/g,
  yaml: /#(?=.*$).*$|"(?:[^"\\]|\\.)*"|[\w.$-]+(?=\s*:(?:\s|$))/g,
};

function token(kind, found) {
  if (kind === "json") return found[2] ? "key" : found[1] ? "string" : "number";
  if (kind === "er7") return /^\w/.test(found[0]) ? "key" : "mark";
  return found[0][0] === "#" ? "comment" : found[0][0] === '"' ? "string" : "key";
}

export class Editor {
  /** Args: host element; label; kind (json, er7, yaml); on: {edit, point, leave, caret, paste}. */
  constructor(host, label, kind, placeholder, on) {
    this.kind = kind;
    this.on = on;
    this.text = "";
    this.values = []; // [start, end, id], sorted and apart
    this.marks = []; // [start, end, severity]
    this.changed = new Set();
    this.lit = new Set();
    this.ghosts = null;
    this.frame = 0;
    this.scroller = host.appendChild(document.createElement("div"));
    this.scroller.className = "scroller";
    this.sheet = this.scroller.appendChild(document.createElement("div"));
    this.sheet.className = "sheet";
    this.lines = this.sheet.appendChild(document.createElement("div"));
    this.lines.className = "lines";
    this.lines.setAttribute("aria-hidden", "true");
    const area = this.area = this.sheet.appendChild(document.createElement("textarea"));
    Object.assign(area, { spellcheck: false, wrap: "off", placeholder, autocomplete: "off" });
    area.setAttribute("aria-label", label);
    area.setAttribute("autocapitalize", "off");
    area.addEventListener("focus", () => host.scrollIntoView({ block: "nearest", inline: "center" })); // on a phone
    area.addEventListener("input", () => this.take());
    area.addEventListener("paste", () => {
      this.replaced = area.selectionStart === 0 && area.selectionEnd === area.value.length;
    });
    this.scroller.addEventListener("scroll", () => this.paint(), { passive: true });
    this.sheet.addEventListener("pointermove", (event) => this.on.point?.(this.under(event)));
    this.sheet.addEventListener("pointerleave", () => this.on.leave?.());
    new ResizeObserver(() => this.size()).observe(this.scroller);
    this.index();
  }

  /** Take what was typed or pasted. */
  take() {
    this.isNew ||= this.replaced || !this.text.trim();
    this.replaced = false;
    this.text = this.area.value;
    this.values = [];
    this.marks = [];
    this.changed = new Set();
    this.index();
    this.told ||= setTimeout(() => { // one paste may be several events
      const { isNew } = this;
      this.told = this.isNew = 0;
      this.on.edit?.(this.text, isNew);
    });
  }

  /** Show another text; the lines that are new are marked. */
  show(text, { mark = false } = {}) {
    if (text === this.text) { this.changed = new Set(); this.paint(); return 0; }
    this.changed = mark && this.text && text ? changes(this.text, text) : new Set();
    this.text = text;
    this.values = [];
    this.marks = [];
    this.isLarge = text.length > READ_ONLY;
    this.scroller.classList.toggle("large", this.isLarge);
    this.scroller.tabIndex = this.isLarge ? 0 : -1;
    const named = { role: "region", "aria-label": `${this.area.getAttribute("aria-label")}, large and read only` };
    for (const [name, value] of Object.entries(named)) {
      if (this.isLarge) this.scroller.setAttribute(name, value); else this.scroller.removeAttribute(name);
    }
    this.area.hidden = this.isLarge;
    const { selectionStart } = this.area;
    this.area.value = this.isLarge ? "" : text;
    const at = Math.min(selectionStart, this.area.value.length); // not at the end, where the browser puts it
    this.area.setSelectionRange(at, at);
    this.index();
    return this.changed.size;
  }

  index() {
    const starts = [0];
    let longest = 0;
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) {
      longest = Math.max(longest, at - starts[starts.length - 1]);
      starts.push(at + 1);
    }
    this.starts = starts;
    this.longest = Math.max(longest, this.text.length - starts[starts.length - 1]);
    this.size();
  }

  size() {
    const wide = /[^\u0000-\u024f]/.test(this.text) ? 2 : 1;
    this.sheet.style.height = `${this.starts.length * HEIGHT + 24}px`;
    this.sheet.style.setProperty("--columns", String(this.longest * wide + 6 + (this.ghosts ? 24 : 0)));
    this.sheet.style.setProperty("--digits", String(Math.max(2, String(this.starts.length).length)));
    this.paint();
  }

  lineOf(offset) {
    let low = 0, high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= offset) low = middle; else high = middle - 1;
    }
    return low;
  }

  at(line) { return this.starts[line]; }

  lineText(line) {
    const end = line + 1 < this.starts.length ? this.starts[line + 1] - 1 : this.text.length;
    return this.text.slice(this.starts[line], end);
  }

  /** Return the index of the first value that ends after an offset. */
  from(list, offset) {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle][1] > offset) high = middle; else low = middle + 1;
    }
    return low;
  }

  setValues(values) {
    values.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    let end = -1;
    this.values = values.filter((value) => value[0] >= end && (end = Math.max(value[1], value[0] + 1)));
    this.paint();
  }

  setMarks(marks) { this.marks = marks.sort((a, b) => a[0] - b[0]); this.paint(); }

  /** Return the id of the value at an offset, or null. */
  valueAt(offset) {
    const value = this.values[this.from(this.values, offset - 1)];
    return value && value[0] <= offset ? value[2] : null;
  }

  /** Return the id of the value under a pointer, or null. */
  under(event) {
    for (const span of this.lines.querySelectorAll("[data-id]")) {
      for (const box of span.getClientRects()) {
        if (event.clientY >= box.top - 2 && event.clientY <= box.bottom + 2
            && event.clientX >= box.left - 1 && event.clientX <= box.right + 1) return Number(span.dataset.id);
      }
    }
    return null;
  }

  /** Light values up; `reveal` scrolls to the first of them if none is seen. */
  light(ids, reveal) {
    this.lit = ids;
    const first = reveal && ids.size ? this.values.find((value) => ids.has(value[2])) : null;
    if (first) this.reveal(first[0], first[1]);
    this.paint();
  }

  reveal(offset, end = offset) {
    const line = this.lineOf(offset), top = line * HEIGHT, { scrollTop, clientHeight, clientWidth, scrollLeft } = this.scroller;
    if (top < scrollTop + HEIGHT || top > scrollTop + clientHeight - 3 * HEIGHT) {
      this.scroller.scrollTop = Math.max(0, top - clientHeight / 2 + HEIGHT);
    }
    const room = clientWidth - (String(this.starts.length).length + 3) * this.column() - 10;
    const left = (offset - this.starts[line]) * this.column(), right = Math.min(end - this.starts[line], offset - this.starts[line] + 16, this.lineText(line).length) * this.column();
    if (right <= room) this.scroller.scrollLeft = 0;
    else if (left < scrollLeft || right > scrollLeft + room) this.scroller.scrollLeft = Math.max(0, Math.min(left - 8 * this.column(), right - room));
  }

  column() { return this.width ??= (this.probe() || 7.5); }

  probe() {
    const span = this.lines.appendChild(document.createElement("span"));
    span.textContent = "0".repeat(50);
    const { width } = span.getBoundingClientRect();
    span.remove();
    return width / 50;
  }

  /** Put the cursor at a place, and show it. */
  go(start, end = start) {
    if (this.isLarge) this.scroller.focus({ preventScroll: true });
    else {
      this.area.focus({ preventScroll: true });
      this.area.setSelectionRange(start, end);
    }
    this.reveal(start);
    this.paint();
  }

  paint() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / HEIGHT) - SPARE);
    const last = Math.min(this.starts.length, Math.ceil((scrollTop + clientHeight) / HEIGHT) + SPARE);
    const made = document.createDocumentFragment();
    for (let line = first; line < last; line += 1) made.append(this.line(line));
    this.lines.style.top = `${first * HEIGHT}px`;
    this.lines.replaceChildren(made);
  }

  line(number) {
    const start = this.starts[number], text = this.lineText(number), end = start + text.length;
    const line = document.createElement("div");
    line.className = this.changed.has(number) ? "line changed" : "line";
    line.dataset.number = String(number + 1);
    if (text.length > LONG) { line.append(text); return line; }
    const parts = []; // [from, to, class, id]
    const values = [];
    for (let i = this.from(this.values, start); i < this.values.length && this.values[i][0] < end; i += 1) values.push(this.values[i]);
    const marks = this.marks.filter((mark) => mark[0] <= end && mark[1] >= start);
    const cuts = new Set([0, text.length]);
    for (const found of text.matchAll(TOKENS[this.kind])) {
      const length = (found[1] ?? found[0]).length;
      parts.push([found.index, found.index + length, token(this.kind, found)]);
      cuts.add(found.index).add(found.index + length);
    }
    const indent = text.length - text.trimStart().length;
    const inner = ([from, to]) => [Math.max(indent, from - start, 0), Math.min(text.length, to - start)];
    for (const list of [values, marks]) for (const one of list) for (const cut of inner(one)) cuts.add(cut);
    const points = [...cuts].filter((cut) => cut >= 0 && cut <= text.length).sort((a, b) => a - b);
    let at = 0;
    for (let i = 0; i + 1 < points.length; i += 1) {
      const from = points[i], to = points[i + 1];
      while (at < parts.length && parts[at][1] <= from) at += 1;
      const classes = at < parts.length && parts[at][0] <= from ? [parts[at][2]] : [];
      const value = values.find((one) => inner(one)[0] <= from && inner(one)[1] >= to);
      const mark = marks.find((one) => inner(one)[0] <= from && (inner(one)[1] >= to));
      if (value) classes.push("value", ...(value[3] ? [value[3]] : []), ...(this.lit.has(value[2]) ? ["lit"] : []));
      if (mark) classes.push("wrong", mark[2]);
      if (!classes.length) { line.append(text.slice(from, to)); continue; }
      const span = document.createElement("span");
      span.className = classes.join(" ");
      span.textContent = text.slice(from, to);
      if (value) span.dataset.id = String(value[2]);
      line.append(span);
    }
    const ghost = this.ghosts?.(text);
    if (ghost) {
      const span = line.appendChild(document.createElement("span"));
      span.className = "ghost";
      span.textContent = ghost;
    }
    return line;
  }
}

/** Return the numbers of the lines of a text that another did not have, by the longest common run of lines. */
function changes(before, after) {
  const a = before.split("\n"), b = after.split("\n"), out = new Set();
  let head = 0, tail = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const left = a.slice(head, a.length - tail), right = b.slice(head, b.length - tail);
  if (left.length * right.length > 1_000_000) { // too much to compare: a line that was nowhere before is new
    const known = new Set(left);
    right.forEach((line, number) => { if (!known.has(line)) out.add(head + number); });
    return out;
  }
  const table = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i -= 1) for (let j = right.length - 1; j >= 0; j -= 1) {
    table[i][j] = left[i] === right[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  }
  for (let i = 0, j = 0; j < right.length;) {
    if (i < left.length && left[i] === right[j]) { i += 1; j += 1; }
    else if (i < left.length && table[i + 1][j] >= table[i][j + 1]) i += 1;
    else { out.add(head + j); j += 1; }
  }
  return out;
}
