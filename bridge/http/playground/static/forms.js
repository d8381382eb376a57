// The three forms: what is shown in each, and where in it the values and the issues stand.

import { showTab } from "./account.js";
import { Editor } from "./editor.js";
import { saveForm, toClipboard } from "./files.js";
import { atCursor, point, showInspector } from "./light.js";
import { finders } from "./places.js";
import { $, FORMS, count, make, state } from "./state.js";
import { lightTable, openTable } from "./table.js";
import { edited } from "./translate.js";

export const panes = {};
for (const [form, [title, kind, hint, label]] of Object.entries(FORMS)) {
  const host = $(`pane-${form}`);
  const chip = make("span", { className: "chip", id: `chip-${form}` });
  const save = make("button", { type: "button", textContent: "Save", title: form === "dicom-json" ? "Save as a DICOM file" : "Save as a file" });
  const copy = make("button", { type: "button", textContent: "Copy" });
  save.setAttribute("aria-label", `Save ${title}`);
  copy.setAttribute("aria-label", `Copy ${title}`);
  save.onclick = () => saveForm(form);
  copy.onclick = () => toClipboard(panes[form].text, `${title} is on the clipboard.`);
  host.append(make("header", {}, make("h2", { id: `title-${form}`, textContent: title }), chip, copy, save));
  panes[form] = new Editor(host, label, kind, hint, {
    edit: (text, isNew) => edited(form, text, isNew),
    point: (id) => point(form, id), leave: () => point(form, null),
  });
}
const TAG = /^\s*"([0-9A-Fa-f]{8})": /;
panes["dicom-json"].ghosts = (line) => {
  const found = TAG.exec(line);
  return found ? state.answer?.names[found[1].toUpperCase()] ?? "" : "";
};

export function showAnswer(answer) {
  state.answer = answer;
  state.values = answer?.values ?? [];
  state.byRow = new Map();
  state.values.forEach(([row], id) => { if (row) state.byRow.set(row, [...state.byRow.get(row) ?? [], id]); });
  const own = answer && (answer.source in FORMS ? answer.source : state.document?.text !== undefined ? state.document.form : "");
  const isBroken = answer && state.document?.text !== undefined && !Object.keys(answer.forms ?? {}).length;
  for (const form of Object.keys(FORMS)) {
    const text = answer?.forms?.[form];
    const isOwn = form === own && text === undefined;
    let changed = 0;
    if (isBroken) { /* while it is being typed: the others wait */ }
    else if (!isOwn && answer && form !== state.document?.form) changed = panes[form].show(text ?? "", { mark: true });
    else if (text !== undefined) panes[form].show(text);
    panes[form].ghosts && panes[form].size();
    place(form);
    const states = Object.entries(answer?.counts?.[form] ?? {}).filter(([name, number]) => number && name !== "mapped");
    const isFile = form === "dicom-json" && answer?.source === "dicom";
    const chip = form === own ? "source" : isFile ? "source, a file" : isBroken && panes[form].text ? "as before the fault" : !text ? "" : [
      answer.anew.includes(form) ? "made anew" : "", changed ? `${count(changed, "line")} changed` : "",
      ...states.map(([name, number]) => `${number} ${name}`),
    ].filter(Boolean).join(", ");
    $(`chip-${form}`).textContent = chip;
    $(`chip-${form}`).className = form === own || isFile ? "chip own" : "chip";
  }
  state.lit = new Set();
  showInspector(null);
  const made = Object.values(answer?.rows ?? {}).map((about) => about.file);
  if (made.length && !made.includes(state.file) && !(state.file in state.edited)) openTable(mostly(made)); else lightTable();
  showTab();
  atCursor();
}

/** Return what is there most often. */
function mostly(names) {
  const sums = new Map();
  for (const name of names) sums.set(name, (sums.get(name) ?? 0) + 1);
  return [...sums].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

/** Find the places of all values in a form, and of the issues in it. */
function place(form) {
  const pane = panes[form];
  if (!pane.text || !state.answer) { pane.setValues([]); pane.setMarks([]); return; }
  const find = finders[form](pane.text);
  const claimed = new Set(state.values.map((value) => value[1][form]).filter(Boolean));
  const values = [];
  state.values.forEach(([, places, states], id) => {
    if (!places[form]) return;
    const worst = ["rejected", "unmapped", "carried"].find((name) => Object.values(states).includes(name)) ?? "mapped";
    for (const [start, end] of find(places[form], claimed)) values.push([start, end, id, worst]);
  });
  pane.setValues(values);
  pane.setMarks(state.answer.issues.flatMap((issue) => placesOf(issue, form, find).map(([start, end]) => [start, end, issue.severity])));
}

/** Return where an issue is in a form: its path, or for what cannot be parsed its byte. */
export function placesOf(issue, form, find = finders[form](panes[form].text)) {
  const source = state.answer.source === "dicom" ? "dicom-json" : state.answer.source;
  const pane = panes[form];
  if (issue.side === "source" && source !== form) return [];
  if (issue.path) {
    const found = find(issue.path, new Set());
    if (found.length || issue.side !== "source") return found;
    for (let path = issue.path; /[.[-]/.test(path);) { // what is missing is shown where it should be
      path = path.replace(/[.[-][^.[-]*$/, "");
      const near = path && find(path, new Set());
      if (near?.length) return [[near[0][0], Math.min(near[0][0] + 1, near[0][1])]];
    }
    return [];
  }
  if (issue.offset >= 0 && state.document?.text !== undefined) {
    const at = /[^\u0000-\u007f]/.test(pane.text)
      ? new TextDecoder().decode(new TextEncoder().encode(pane.text).slice(0, issue.offset)).length : issue.offset;
    const start = Math.min(at, Math.max(0, pane.text.length - 1));
    return [[start, start + 1]];
  }
  return [];
}
