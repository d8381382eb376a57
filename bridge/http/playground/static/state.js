// What the page knows, and the few words that all its parts use.

export const $ = (id) => document.getElementById(id);
export const make = (name, set = {}, ...inside) => {
  const node = Object.assign(document.createElement(name), set);
  for (const [key, value] of Object.entries(set)) if (key.startsWith("aria-") || key === "role") node.setAttribute(key, value);
  node.append(...inside);
  return node;
};
export const FORMS = {
  "dicom-json": ["DICOM", "json", "Drop a DICOM file here, or paste DICOM JSON.", "DICOM as JSON"],
  fhir: ["FHIR", "json", "Paste a FHIR ImagingStudy, ServiceRequest or Bundle as JSON.", "FHIR JSON"],
  hl7v2: ["HL7 v2", "er7", "Paste an ORU^R01 message (ER7), a segment a line.", "HL7 v2 message"],
};
export const state = {
  document: null, // what is translated: {form, text} or {form: "dicom", base64}
  binary: "", // the DICOM file that was dropped: what is saved is written into it
  base: {}, // texts that somebody gave: they are written into, and so keep what has no row
  tables: {}, edited: {}, file: "", faults: [],
  answer: null, values: [], byRow: new Map(), lit: new Set(), pinned: null,
  options: {}, secret: "", start: null, tab: "issues", copy: { way: "curl", to: "", inside: false },
};

export const count = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
export const say = (text) => { $("status").textContent = text; };
