// The page: one document, three forms, one table. Each answer of the service says where every value stands in each.

import { Editor } from "./editor.js";
import { FILES, snippet } from "./copy.js";
import { finders, rowPlace } from "./places.js";

const $ = (id) => document.getElementById(id);
const make = (name, set = {}, ...inside) => {
  const node = Object.assign(document.createElement(name), set);
  for (const [key, value] of Object.entries(set)) if (key.startsWith("aria-") || key === "role") node.setAttribute(key, value);
  node.append(...inside);
  return node;
};
const FORMS = {
  "dicom-json": ["DICOM", "json", "Drop a DICOM file here, or paste DICOM JSON.", "DICOM as JSON"],
  fhir: ["FHIR", "json", "Paste a FHIR ImagingStudy, ServiceRequest or Bundle as JSON.", "FHIR JSON"],
  hl7v2: ["HL7 v2", "er7", "Paste an ORU^R01 message (ER7), a segment a line.", "HL7 v2 message"],
};
const LONGEST_LEDGER = 400, WAIT = 350;

const state = {
  document: null, // what is translated: {form, text} or {form: "dicom", base64}
  binary: "", // the DICOM file that was dropped: what is saved is written into it
  base: {}, // texts that somebody gave: they are written into, and so keep what has no row
  tables: {}, edited: {}, file: "", faults: [],
  answer: null, values: [], byRow: new Map(), lit: new Set(), pinned: null,
  options: {}, secret: "", start: null, tab: "issues", copy: { way: "curl", to: "", inside: false },
};

// ---------------------------------------------------------------- talking to the service

async function ask(path, body, signal) {
  const headers = state.secret ? { Authorization: `Bearer ${state.secret}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(`playground/${path}`, {
    method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal,
    cache: "no-store", credentials: "omit",
  });
  if (answer.status === 401 || answer.status === 403) {
    await askKey(answer.status === 403 ? "The key may not translate." : state.secret ? "This is not a key of the service." : "");
    return ask(path, body, signal);
  }
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.detail ?? `HTTP ${answer.status}`), { issues: said.errors });
  return said;
}

let asking = null;
function askKey(said) {
  asking ??= new Promise((resolve) => {
    $("key-said").textContent = said;
    $("secret").value = "";
    $("key").oncancel = (event) => event.preventDefault();
    $("key").onclose = () => { state.secret = $("secret").value.trim(); asking = null; resolve(); };
    $("key").showModal();
  });
  return asking;
}

let running = null, timer = 0;
const later = (wait = WAIT) => { clearTimeout(timer); timer = setTimeout(translate, wait); };

async function translate() {
  clearTimeout(timer);
  running?.abort();
  const mine = running = new AbortController();
  if (!state.document && !Object.keys(state.edited).length) { forget(); return; }
  const hasEdited = Object.keys(state.edited).length > 0;
  const into = Object.fromEntries(Object.entries(state.base).filter(([form, text]) => text
    && form !== state.document?.form && (!hasEdited || form === "dicom-json")));
  const began = performance.now();
  document.body.classList.add("busy");
  try {
    const body = { document: state.document ?? undefined, into, options: state.options, tables: state.edited };
    const answer = await ask("translate", body, mine.signal);
    if (mine !== running) return;
    take(answer, performance.now() - began);
  } catch (error) {
    if (error.name === "AbortError" || mine !== running) return;
    say(error.issues ? "The service refused the request." : `The service does not answer: ${error.message}`);
    if (error.issues) showAnswer({ issues: error.issues, forms: {}, values: [], rows: {}, counts: {}, names: {} });
  } finally {
    if (mine === running) document.body.classList.remove("busy");
  }
}

function take(answer, milliseconds) {
  state.faults = answer.faults ?? [];
  showFaults();
  if (!answer.forms) {
    say(state.faults.length ? `The edited table has ${count(state.faults.length, "fault")}; the forms are those of before.` : "The edited table is good.");
    return;
  }
  if (answer.base64) { state.document = { form: "dicom", base64: answer.base64 }; state.binary = answer.base64; }
  if (state.document.sample) state.document = { form: answer.source, text: answer.forms[answer.source] };
  if (state.document.form === "auto" && state.document.base64) state.document.form = answer.source;
  if (answer.source === "dicom") state.base["dicom-json"] = answer.forms["dicom-json"] ?? "";
  else if (answer.source in FORMS) state.base[answer.source] = state.document.text ?? answer.forms[answer.source] ?? "";
  showAnswer(answer);
  const errors = answer.issues.filter((issue) => issue.severity === "error").length;
  const name = { dicom: "the DICOM file", "dicom-json": "DICOM JSON", fhir: "FHIR", hl7v2: "HL7 v2" }[answer.source] ?? answer.source;
  say(answer.source
    ? `From ${name} in ${Math.round(milliseconds)} ms: ${count(answer.values.length, "value")}, ${count(errors, "error")}, ${count(answer.issues.length - errors, "other finding")}.`
    : "This is none of the known formats.");
}

const count = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
const say = (text) => { $("status").textContent = text; };

// ---------------------------------------------------------------- the forms

const panes = {};
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

/** Say what a text looks like: ER7, FHIR or DICOM JSON, DICOM in base64, or nothing of these. */
function looksLike(text) {
  if (/^[\ufeff\s\v]*(MSH|FHS|BHS)/.test(text)) return "hl7v2";
  if (/^\s*\[?\s*\{\s*"[0-9A-Fa-f]{8}"\s*:/.test(text)) return "dicom-json";
  if (/^\s*\{/.test(text) && text.includes('"resourceType"')) return "fhir";
  if (text.length > 176 && /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) {
    try { if (atob(text.replace(/\s/g, "").slice(0, 176)).slice(128) === "DICM") return "dicom"; } catch { /* not base64 */ }
  }
  return "";
}

function edited(form, text, isNew) {
  const kind = isNew ? looksLike(text) : "";
  if (isNew && kind && kind !== form) {
    panes[form].show("");
    if (kind === "dicom") begin({ form: "dicom", base64: text.replace(/\s/g, "") });
    else { panes[kind].show(text); begin({ form: kind, text }); panes[kind].go(0); }
    return;
  }
  if (isNew) {
    state.base = {};
    state.binary = "";
    for (const other of Object.keys(FORMS)) if (other !== form) panes[other].show("");
  }
  if (!text.trim()) { state.document = null; delete state.base[form]; later(); return; }
  state.base[form] = text;
  state.document = { form, text };
  later();
}

/** Begin with another document. */
function begin(given) {
  state.base = {};
  state.binary = given.base64 && given.form !== "auto" ? given.base64 : "";
  state.document = given;
  translate();
}

function forget() {
  state.document = null;
  state.base = {};
  state.binary = "";
  for (const form of Object.keys(FORMS)) panes[form].show("");
  showAnswer(null);
  say("Empty. Drop, paste, or start with a sample.");
}

function showAnswer(answer) {
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
function placesOf(issue, form, find = finders[form](panes[form].text)) {
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

// ---------------------------------------------------------------- lighting up

let hover = 0;
function point(form, id) {
  clearTimeout(hover);
  hover = setTimeout(() => light(id === null ? state.pinned ?? new Set() : new Set([id]), form), id === null ? 120 : 40);
}

function same(a, b) { return a.size === b.size && [...a].every((one) => b.has(one)); }

/** Light values up everywhere; the form where the pointer or the cursor is does not scroll. */
function light(ids, from) {
  if (same(ids, state.lit)) return;
  state.lit = ids;
  for (const [form, pane] of Object.entries(panes)) pane.light(ids, form !== from);
  showInspector(ids.size ? [...ids][0] : null);
  lightTable(from);
  for (const row of document.querySelectorAll("#panel [data-id]")) row.classList.toggle("lit", ids.has(Number(row.dataset.id)));
}

document.addEventListener("selectionchange", atCursor);

/** Light up what the cursor is in. */
function atCursor() {
  for (const [form, pane] of Object.entries(panes)) {
    if (document.activeElement !== pane.area) continue;
    const id = pane.valueAt(pane.area.selectionStart);
    if (id !== null) pane.reveal(pane.area.selectionStart, pane.area.selectionStart + 16);
    state.pinned = id === null ? null : new Set([id]);
    light(state.pinned ?? new Set(), form);
  }
  if (document.activeElement === table.area) underCursor();
}

function showInspector(id) {
  const box = $("inspector");
  if (id === null) {
    box.replaceChildren(make("p", { className: "hint", textContent: state.answer
      ? "Point at a value, or put the cursor into it: the same value lights up in the other forms, and the row of the table that made it."
      : "Here stands what a value is called, which row of which table made it, and where it is in each form." }));
    return;
  }
  const [row, places, states, reason] = state.values[id];
  const about = state.answer.rows[row];
  const tag = about?.tag ?? /([0-9A-F]{8})\D*$/.exec(places["dicom-json"] ?? "")?.[1];
  const name = about?.name ?? state.answer.names[tag] ?? "A value";
  const said = [...new Set(Object.values(states))].join(", ");
  box.replaceChildren(
    make("p", { className: "what" }, make("b", { textContent: name }), tag ? ` (${tag.slice(0, 4)},${tag.slice(4)}) ` : " ",
      make("span", { className: `badge ${said.includes("rejected") ? "error" : said === "mapped" ? "good" : "note"}`, textContent: said || "here" }),
      reason ? ` ${reason}` : "", row ? make("span", { className: "row", textContent: ` row ${row} in ${about?.file ?? about?.table}` }) : ""),
    make("dl", {}, ...Object.entries(FORMS).flatMap(([form, [title]]) => [
      make("dt", { textContent: title }), make("dd", { textContent: places[form] ?? "not there" })])),
  );
}

// ---------------------------------------------------------------- the table

const tableHost = $("pane-table");
const files = make("select", { id: "files" });
const revert = make("button", { type: "button", textContent: "Revert", hidden: true });
const saveTable = make("button", { type: "button", textContent: "Save" });
saveTable.setAttribute("aria-label", "Save the table");
tableHost.append(make("header", {}, make("h2", { id: "title-table", textContent: "Table" }),
  make("label", { htmlFor: "files", className: "hidden", textContent: "File of the table" }), files,
  make("span", { className: "chip", id: "chip-table" }), revert, saveTable));
const table = new Editor(tableHost, "Mapping table, YAML", "yaml", "", {
  edit: (text) => {
    if (text === state.tables[state.file]) delete state.edited[state.file]; else state.edited[state.file] = text;
    tableState();
    rowsOfTable();
    later(500);
  },
  point: (id) => pointRow(id), leave: () => pointRow(null),
});
const lint = tableHost.appendChild(make("div", { className: "lint", id: "lint", role: "status" }));
panes.table = table;
delete panes.table; // it lights up by rows, not by values

files.onchange = () => openTable(files.value);
revert.onclick = () => { delete state.edited[state.file]; table.show(state.tables[state.file]); tableState(); rowsOfTable(); state.faults = []; showFaults(); translate(); };
saveTable.onclick = () => download(table.text, state.file, "application/yaml");

async function openTable(file) {
  if (![...files.options].some((option) => option.value === file)) return;
  state.file = files.value = file;
  state.tables[file] ??= (await ask(`table/${encodeURIComponent(file)}`)).text;
  if (state.file !== file) return; // another one was asked for meanwhile
  table.show(state.edited[file] ?? state.tables[file]);
  tableState();
  rowsOfTable();
  lightRows(true);
  showFaults();
}

function tableState() {
  const isEdited = state.file in state.edited;
  revert.hidden = !isEdited;
  $("chip-table").textContent = isEdited ? "edited, here only" : "";
  for (const option of files.options) option.textContent = option.value + (option.value in state.edited ? " (edited)" : "");
}

/** Find the rows of the open table that carried a value. */
function rowsOfTable() {
  const found = [];
  state.rowIds = [];
  for (const [id, about] of Object.entries(state.answer?.rows ?? {})) {
    if (about.file !== state.file || about.line > table.starts.length) continue;
    const [start, end] = rowPlace(table, about.line, about.column);
    found.push([start, end, state.rowIds.push(id) - 1]);
  }
  table.setValues(found);
}

function lightTable(from) {
  const row = [...state.lit].map((id) => state.values[id]?.[0]).find(Boolean);
  const about = row && state.answer?.rows[row];
  if (about && about.file !== state.file && document.activeElement !== table.area && from !== "table") openTable(about.file);
  else { rowsOfTable(); lightRows(from !== "table"); }
}

function lightRows(reveal) {
  const rows = new Set([...state.lit].map((id) => state.rowIds.indexOf(state.values[id]?.[0])).filter((at) => at >= 0));
  table.light(rows, reveal);
}

function pointRow(at) {
  clearTimeout(hover);
  const ids = at === null ? [] : state.byRow.get(state.rowIds[at]) ?? [];
  hover = setTimeout(() => light(ids.length ? new Set(ids) : state.pinned ?? new Set(), "table"), ids.length ? 40 : 120);
}

function showFaults() {
  const here = state.faults.filter((fault) => fault.document === state.file);
  table.setMarks(here.filter((fault) => fault.line).map((fault) => {
    const line = Math.min(fault.line, table.starts.length) - 1, text = table.lineText(line), from = Math.min(fault.column - 1, text.length);
    const length = /^("[^"]*"|[^\s,:}\]]+)/.exec(text.slice(from))?.[0].length ?? 1;
    return [table.at(line) + from, table.at(line) + from + Math.max(1, length), fault.severity];
  }));
  underCursor();
}

/** Say what is wrong at the cursor of the table, or with the table. */
function underCursor() {
  const line = table.lineOf(table.area.selectionStart ?? 0) + 1;
  const here = state.faults.filter((fault) => fault.document === state.file && fault.line === line);
  const shown = here.length ? here : state.faults;
  lint.replaceChildren(...shown.slice(0, 20).map((fault) => {
    const where = `${fault.document === state.file ? "" : `${fault.document}:`}${fault.line}:${fault.column}`;
    const button = make("button", { type: "button", textContent: where });
    button.onclick = async () => {
      if (fault.document !== state.file) await openTable(fault.document);
      const start = table.at(fault.line - 1) + fault.column - 1;
      table.go(start, start);
    };
    return make("p", { className: fault.severity }, button, " ", make("b", { textContent: fault.message }),
      make("span", { className: "remedy", textContent: ` What to do: ${fault.remedy}. ` }), make("code", { textContent: fault.code }));
  }), ...(shown.length > 20 ? [make("p", { textContent: `and ${shown.length - 20} more` })] : []));
}

// ---------------------------------------------------------------- issues, ledger, copy as

const tabs = ["issues", "ledger", "copy"].map((name) => $(`tab-${name}`));
tabs.forEach((tab, at) => {
  tab.onclick = () => { state.tab = tab.id.slice(4); showTab(); };
  tab.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  };
});

function showTab() {
  for (const tab of tabs) {
    const isChosen = tab.id === `tab-${state.tab}`;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
  const issues = state.answer?.issues ?? [];
  tabs[0].textContent = state.answer ? `Issues (${issues.length})` : "Issues";
  tabs[1].textContent = state.answer ? `Ledger (${state.values.length})` : "Ledger";
  const panel = $("panel");
  panel.setAttribute("aria-labelledby", `tab-${state.tab}`);
  panel.replaceChildren(...{ issues: issuesTab, ledger: ledgerTab, copy: copyTab }[state.tab]());
}

function issuesTab() {
  const issues = state.answer?.issues ?? [];
  if (!state.answer) return [make("p", { className: "hint", textContent: "What is wrong with a document is said here, with its place and what to do about it." })];
  if (!issues.length) return [make("p", { className: "hint", textContent: "Nothing is wrong with it." })];
  const refused = issues.some((issue) => issue.severity === "error");
  return [
    ...(refused ? [make("p", { className: "refused", textContent: "With these errors POST /v1/translate refuses the document; what could be done is shown." })] : []),
    make("ul", { className: "issues" }, ...issues.map((issue) => {
      const go = make("button", { type: "button", textContent: issue.path || "show" });
      const form = Object.keys(FORMS).find((name) => panes[name].text && placesOf(issue, name).length);
      go.onclick = () => { const [start, end] = placesOf(issue, form)[0]; panes[form].go(start, end); };
      return make("li", { className: issue.severity }, make("span", { className: `badge ${issue.severity}`, textContent: issue.severity }), " ",
        make("code", { textContent: issue.code }), " ", form ? go : make("span", { className: "path", textContent: issue.path }),
        make("p", { textContent: `${issue.message[0].toUpperCase()}${issue.message.slice(1)}.` }),
        make("p", { className: "remedy" }, make("b", { textContent: "What to do: " }), `${issue.remedy}.`));
    })),
  ];
}

const ledger = { filter: "", kind: "all", whole: false };
function ledgerTab() {
  if (!state.answer) return [make("p", { className: "hint", textContent: "Every value of the document has one line here: where it went, by which row, or why it did not." })];
  const search = make("input", { type: "search", placeholder: "Filter", value: ledger.filter });
  search.setAttribute("aria-label", "Filter the ledger");
  const kind = make("select", {}, ...["all", "mapped", "carried", "unmapped", "rejected"].map((name) => make("option", { value: name, textContent: name, selected: name === ledger.kind })));
  kind.setAttribute("aria-label", "State of the values");
  const body = make("tbody"), said = make("p", { className: "hint" });
  const fill = () => {
    const words = ledger.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const found = state.values.map((value, id) => [value, id]).filter(([[row, places, states], id]) =>
      (ledger.kind === "all" || Object.values(states).includes(ledger.kind))
      && words.every((word) => `${nameOf(id)} ${row} ${Object.values(places).join(" ")}`.toLowerCase().includes(word)));
    const shown = ledger.whole ? found : found.slice(0, LONGEST_LEDGER);
    body.replaceChildren(...shown.map(([value, id]) => ledgerRow(value, id)));
    said.replaceChildren(`${found.length.toLocaleString("en")} of ${count(state.values.length, "value")}`);
    if (shown.length < found.length) {
      const all = make("button", { type: "button", textContent: "Show all" });
      all.onclick = () => { ledger.whole = true; fill(); };
      said.append(` (${shown.length} shown) `, all);
    }
  };
  search.oninput = () => { ledger.filter = search.value; fill(); };
  kind.onchange = () => { ledger.kind = kind.value; fill(); };
  body.onkeydown = (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const next = step && event.target.closest("tr")?.[step]?.querySelector("button");
    if (next) { event.preventDefault(); next.focus(); }
  };
  ledger.whole = false;
  fill();
  const sums = Object.entries(state.answer.counts).map(([form, sum]) => make("li", {}, make("b", { textContent: `to ${FORMS[form][0]}: ` }),
    Object.entries(sum).filter(([, number]) => number).map(([name, number]) => `${number} ${name}`).join(", ")));
  return [make("ul", { className: "sums" }, ...sums), make("div", { className: "filter" }, search, kind, said),
    make("table", { className: "ledger" }, make("thead", {}, make("tr", {}, ...["Value", "Row", ...Object.values(FORMS).map(([title]) => title)].map((text) => make("th", { scope: "col", textContent: text })))), body)];
}

function nameOf(id) {
  const [row, places] = state.values[id];
  const tag = /([0-9A-F]{8})[^.]*$/.exec(places["dicom-json"] ?? "")?.[1];
  return state.answer.rows[row]?.name ?? state.answer.names[tag] ?? places[state.answer.source] ?? tag ?? "value";
}

/** Return a path that may be broken behind its dots. */
const breakable = (path) => path.split(/(?<=\.)/).flatMap((part) => [make("wbr"), part]).slice(1);

function ledgerRow([row, places, states, reason], id) {
  const button = make("button", { type: "button", textContent: nameOf(id) });
  const here = new Set([id]);
  button.onfocus = () => { state.pinned = here; light(here, "ledger"); };
  const line = make("tr", {}, make("th", { scope: "row" }, button), make("td", { textContent: row }),
    ...Object.keys(FORMS).map((form) => {
      const said = states[form];
      const text = places[form] ?? "";
      return make("td", { className: "path" }, said && said !== "mapped" ? make("span", { className: `badge ${said === "rejected" ? "error" : "note"}`, textContent: said }) : "",
        said && said !== "mapped" && text ? " " : "", ...breakable(text), said && !text && reason ? ` ${reason}` : "");
    }));
  line.dataset.id = String(id);
  line.onpointerenter = () => point("ledger", id);
  line.onpointerleave = () => point("ledger", null);
  if (state.lit.has(id)) line.className = "lit";
  return line;
}

function copyTab() {
  const choice = state.copy, from = state.document;
  if (!from || !state.answer?.source) return [make("p", { className: "hint", textContent: "The same request as a command, a script or a step of a Mirth channel; begin with a document." })];
  const targets = ["fhir", "hl7v2", "dicom-json", "dicom"].filter((form) => form !== from.form);
  if (!targets.includes(choice.to)) choice.to = targets[0];
  const pick = (name, label, options) => {
    const box = make("select", { id: `copy-${name}` }, ...options.map(([value, text]) => make("option", { value, textContent: text, selected: choice[name] === value })));
    box.onchange = () => { choice[name] = box.value; showTab(); $(`copy-${name}`).focus(); };
    return [make("label", { htmlFor: `copy-${name}`, textContent: label }), box];
  };
  const inside = make("input", { type: "checkbox", id: "copy-inside", checked: choice.inside });
  inside.onchange = () => { choice.inside = inside.checked; showTab(); $("copy-inside").focus(); };
  const given = { form: from.form in FILES ? from.form : "dicom", text: from.text, base64: from.base64 };
  const text = snippet(choice.way, given, choice.to, state.options, {
    inside: choice.inside && choice.way !== "mirth", needsKey: Boolean(state.start?.needsKey), address: new URL(".", document.baseURI).href });
  const copy = make("button", { type: "button", className: "main", textContent: "Copy" });
  copy.onclick = () => toClipboard(text, "It is on the clipboard.");
  const notes = [];
  if (Object.keys(state.edited).length) notes.push("It uses the tables of the service: the edited ones are in this page alone. To keep one, save it into a copy of the folder of tables and name that with --table, or say it in a site table.");
  if (Object.keys(state.base).some((form) => form !== from.form && form === choice.to)) notes.push("It makes the document anew; this page writes into the one that you gave. In the API that is into.");
  return [make("div", { className: "filter" }, ...pick("way", "As", [["curl", "curl"], ["python", "Python"], ["mirth", "Mirth"]]),
    ...pick("to", "to", targets.map((form) => [form, { fhir: "FHIR", hl7v2: "HL7 v2", "dicom-json": "DICOM JSON", dicom: "DICOM file" }[form]])),
    ...(choice.way === "mirth" ? [] : [inside, make("label", { htmlFor: "copy-inside", textContent: "with the document in it" })]), copy),
  make("pre", { id: "snippet", tabIndex: 0 }, make("code", { textContent: text })),
  ...notes.map((note) => make("p", { className: "hint", textContent: note }))];
}

// ---------------------------------------------------------------- files, clipboard, options

async function toClipboard(text, said) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no secure context: the old way
    const area = document.body.appendChild(make("textarea", { value: text }));
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(said);
}

function download(content, name, type) {
  const link = make("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function saveForm(form) {
  if (form !== "dicom-json") {
    const text = panes[form].text;
    download(form === "hl7v2" ? text.replaceAll("\n", "\r") : text, FILES[form], "application/octet-stream");
    return;
  }
  if (!panes[form].text) return;
  const headers = { "Content-Type": "application/json", ...(state.secret ? { Authorization: `Bearer ${state.secret}` } : {}) };
  const envelope = `{"document":${panes[form].text},"from":"dicom-json","to":"dicom"${state.binary ? `,"into":{"base64":"${state.binary}"}` : ""}}`;
  const answer = await fetch("v1/translate", { method: "POST", headers, body: envelope, cache: "no-store", credentials: "omit" });
  if (answer.ok) { download(await answer.blob(), FILES.dicom, "application/dicom"); say("The DICOM file is saved."); return; }
  const said = await answer.json();
  say(`It cannot be saved as DICOM: ${said.detail}`);
}

async function openFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = null;
  if (String.fromCharCode(...bytes.slice(128, 132)) !== "DICM") {
    try { text = new TextDecoder("utf-8", { fatal: true }).decode(bytes); } catch { /* ER7 in another character set */ }
  }
  const kind = text === null || text.includes("\0") ? "" : looksLike(text);
  say(`${file.name} is read.`);
  for (const form of Object.keys(FORMS)) panes[form].show("");
  if (kind && kind !== "dicom") {
    const shown = text.replace(/\r\n?/g, "\n").replace(/^\ufeff/, "");
    panes[kind].show(shown);
    begin({ form: kind, text: shown });
    return;
  }
  let packed = "";
  for (let at = 0; at < bytes.length; at += 24576) packed += String.fromCharCode(...bytes.subarray(at, at + 24576));
  begin(kind === "dicom" ? { form: "dicom", base64: text.replace(/\s/g, "") }
    : { form: /\.dcm$/i.test(file.name) || packed.slice(128, 132) === "DICM" ? "dicom" : "auto", base64: btoa(packed) });
}

$("open").onclick = () => $("file").click();
$("file").onchange = () => { if ($("file").files[0]) openFile($("file").files[0]); $("file").value = ""; };
$("clear").onclick = () => { forget(); panes["dicom-json"].area.focus(); };
$("sample").onchange = () => {
  if (!$("sample").value) return;
  for (const form of Object.keys(FORMS)) panes[form].show("");
  begin({ sample: $("sample").value });
};
for (const name of ["dragover", "dragleave", "drop"]) {
  window.addEventListener(name, (event) => {
    if (![...event.dataTransfer?.types ?? []].includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", name === "dragover");
    if (name === "drop" && event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
  });
}

const LABELS = { unmapped: "What has no row", "fhir-release": "FHIR release", as: "New FHIR", "hl7-version": "HL7 v2 version", profile: "HL7 v2 profile", mode: "Strictness" };
function showOptions() {
  const all = { unmapped: state.start.options.unmapped, mode: ["default", "strict", "lenient"], ...state.start.options };
  $("choices").replaceChildren(...Object.entries(all).map(([name, values]) => {
    const first = state.start.defaults[name] ?? values[0];
    const box = make("select", { id: `option-${name}` }, ...values.map((value) => make("option", { value, textContent: value, selected: value === first })));
    box.onchange = () => {
      if (name === "mode") { delete state.options.strict; delete state.options.lenient; if (box.value !== "default") state.options[box.value] = "true"; }
      else if (box.value === first) delete state.options[name]; else state.options[name] = box.value;
      if (state.document) translate();
    };
    return make("p", {}, make("label", { htmlFor: box.id, textContent: LABELS[name] ?? name }), box);
  }));
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("options").open) { $("options").open = false; $("options").querySelector("summary").focus(); }
});
document.addEventListener("pointerdown", (event) => { if (!event.target.closest("#options")) $("options").open = false; });

if (document.documentElement.dataset.key) await askKey("");
state.start = await ask("start");
for (const name of state.start.samples) $("sample").append(make("option", { value: name, textContent: name }));
showOptions();
showAnswer(null);
for (const file of state.start.files) files.append(make("option", { value: file, textContent: file }));
await openTable(state.start.files[0]);
document.documentElement.dataset.ready = "yes";
