// Lighting up: the value under the pointer or the cursor, in every form, with the row of the table that made it.

import { panes } from "./forms.js";
import { $, FORMS, make, state } from "./state.js";
import { lightTable, table, underCursor } from "./table.js";

let hover = 0;

/** Light up what a pointer is over, once it rests; over nothing, what the cursor is in. */
export function pointAt(ids, from) {
  clearTimeout(hover);
  hover = setTimeout(() => light(ids.length ? new Set(ids) : state.pinned ?? new Set(), from), ids.length ? 40 : 120);
}

export const point = (form, id) => pointAt(id === null ? [] : [id], form);

function same(a, b) { return a.size === b.size && [...a].every((one) => b.has(one)); }

/** Light values up everywhere; the form where the pointer or the cursor is does not scroll. */
export function light(ids, from) {
  if (same(ids, state.lit)) return;
  state.lit = ids;
  for (const [form, pane] of Object.entries(panes)) pane.light(ids, form !== from);
  showInspector(ids.size ? [...ids][0] : null);
  lightTable(from);
  for (const row of document.querySelectorAll("#panel [data-id]")) row.classList.toggle("lit", ids.has(Number(row.dataset.id)));
}

document.addEventListener("selectionchange", atCursor);

/** Light up what the cursor is in. */
export function atCursor() {
  for (const [form, pane] of Object.entries(panes)) {
    if (document.activeElement !== pane.area) continue;
    const id = pane.valueAt(pane.area.selectionStart);
    if (id !== null) pane.reveal(pane.area.selectionStart, pane.area.selectionStart + 16);
    state.pinned = id === null ? null : new Set([id]);
    light(state.pinned ?? new Set(), form);
  }
  if (document.activeElement === table.area) underCursor();
}

export function showInspector(id) {
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
