// From an edit to an answer: what is sent, what is written into, and what is done with what comes back.

import { panes, showAnswer } from "./forms.js";
import { ask } from "./service.js";
import { FORMS, count, say, state } from "./state.js";
import { showFaults } from "./table.js";

const WAIT = 350; // milliseconds after the last key

let running = null, timer = 0;
export const later = (wait = WAIT) => { clearTimeout(timer); timer = setTimeout(translate, wait); };

export async function translate() {
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
  else if (answer.source in FORMS && Object.keys(answer.forms).length) state.base[answer.source] = state.document.text ?? answer.forms[answer.source] ?? "";
  showAnswer(answer);
  const errors = answer.issues.filter((issue) => issue.severity === "error").length;
  const name = { dicom: "the DICOM file", "dicom-json": "DICOM JSON", fhir: "FHIR", hl7v2: "HL7 v2" }[answer.source] ?? answer.source;
  say(answer.source
    ? `From ${name} in ${Math.round(milliseconds)} ms: ${count(answer.values.length, "value")}, ${count(errors, "error")}, ${count(answer.issues.length - errors, "other finding")}.`
    : "This is none of the known formats.");
}

export function edited(form, text, isNew) {
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
  state.document = { form, text };
  later();
}

/** Begin with another document. */
export function begin(given) {
  state.base = {};
  state.binary = given.base64 && given.form !== "auto" ? given.base64 : "";
  state.document = given;
  translate();
}

export function forget() {
  state.document = null;
  state.base = {};
  state.binary = "";
  for (const form of Object.keys(FORMS)) panes[form].show("");
  showAnswer(null);
  say("Empty. Drop, paste, or start with a sample.");
}

/** Say what a text looks like: ER7, FHIR or DICOM JSON, DICOM in base64, or nothing of these. */
export function looksLike(text) {
  if (/^[\ufeff\s\v]*(MSH|FHS|BHS)/.test(text)) return "hl7v2";
  if (/^\s*\[?\s*\{\s*"[0-9A-Fa-f]{8}"\s*:/.test(text)) return "dicom-json";
  if (/^\s*\{/.test(text) && text.includes('"resourceType"')) return "fhir";
  if (text.length > 176 && /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) {
    try { if (atob(text.replace(/\s/g, "").slice(0, 176)).slice(128) === "DICM") return "dicom"; } catch { /* not base64 */ }
  }
  return "";
}
