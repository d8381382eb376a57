// The page: one document, three forms, one table. Each answer of the service says where every value stands in each.

import { openFile } from "./files.js";
import { panes, showAnswer } from "./forms.js";
import { ask, askKey } from "./service.js";
import { $, FORMS, make, state } from "./state.js";
import { files, openTable } from "./table.js";
import { begin, forget, translate } from "./translate.js";

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
