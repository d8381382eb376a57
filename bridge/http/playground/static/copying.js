// The same request as a command, a script, or a step of a channel.

import { FILES, snippet } from "./copy.js";
import { toClipboard } from "./files.js";
import { $, make, state } from "./state.js";
import { showTab } from "./account.js";

export function copyTab() {
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
