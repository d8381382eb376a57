// The table: its text, its rows, and what its lint says under the cursor.

import { Editor } from "./editor.js";
import { download } from "./files.js";
import { pointAt } from "./light.js";
import { rowPlace } from "./places.js";
import { ask } from "./service.js";
import { $, make, state } from "./state.js";
import { later, translate } from "./translate.js";

const tableHost = $("pane-table");
export const files = make("select", { id: "files" });
const revert = make("button", { type: "button", textContent: "Revert", hidden: true });
const saveTable = make("button", { type: "button", textContent: "Save" });
saveTable.setAttribute("aria-label", "Save the table");
tableHost.append(make("header", {}, make("h2", { id: "title-table", textContent: "Table" }),
  make("label", { htmlFor: "files", className: "hidden", textContent: "File of the table" }), files,
  make("span", { className: "chip", id: "chip-table" }), revert, saveTable));
export const table = new Editor(tableHost, "Mapping table, YAML", "yaml", "", {
  edit: (text) => {
    if (text === state.tables[state.file]) delete state.edited[state.file]; else state.edited[state.file] = text;
    tableState();
    rowsOfTable();
    later(500);
  },
  point: (id) => pointRow(id), leave: () => pointRow(null),
});
const lint = tableHost.appendChild(make("div", { className: "lint", id: "lint", role: "status" }));
files.onchange = () => openTable(files.value);
revert.onclick = () => { delete state.edited[state.file]; table.show(state.tables[state.file]); tableState(); rowsOfTable(); state.faults = []; showFaults(); translate(); };
saveTable.onclick = () => download(table.text, state.file, "application/yaml");

export async function openTable(file) {
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

export function lightTable(from) {
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
  pointAt(at === null ? [] : state.byRow.get(state.rowIds[at]) ?? [], "table");
}

export function showFaults() {
  const here = state.faults.filter((fault) => fault.document === state.file);
  table.setMarks(here.filter((fault) => fault.line).map((fault) => {
    const line = Math.min(fault.line, table.starts.length) - 1, text = table.lineText(line), from = Math.min(fault.column - 1, text.length);
    const length = /^("[^"]*"|[^\s,:}\]]+)/.exec(text.slice(from))?.[0].length ?? 1;
    return [table.at(line) + from, table.at(line) + from + Math.max(1, length), fault.severity];
  }));
  underCursor();
}

/** Say what is wrong at the cursor of the table, or with the table. */
export function underCursor() {
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
