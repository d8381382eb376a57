// Files and the clipboard: what comes in and what goes out, on this machine.

import { FILES } from "./copy.js";
import { panes } from "./forms.js";
import { FORMS, make, say, state } from "./state.js";
import { begin, looksLike } from "./translate.js";

export async function toClipboard(text, said) {
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

export function download(content, name, type) {
  const link = make("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export async function saveForm(form) {
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

export async function openFile(file) {
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
