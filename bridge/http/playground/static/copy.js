// The request of the page as a command, a script, or a step of a channel: made to be run as it is.

const TYPES = {
  dicom: "application/dicom", "dicom-json": "application/dicom+json", fhir: "application/fhir+json",
  hl7v2: "x-application/hl7-v2+er7; charset=utf-8",
};
export const FILES = { dicom: "plan.dcm", "dicom-json": "plan.json", fhir: "study.json", hl7v2: "message.hl7" };
const ARGUMENTS = { "fhir-release": "fhir_release", as: "resource", "hl7-version": "hl7_version" };

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const literal = (value) => value === "true" ? "True" : JSON.stringify(value);

/** Args: way (curl, python, mirth); from: {form, text | base64}; to; options; inside: with the document; needsKey. */
export function snippet(way, from, to, options, { inside, needsKey, address }) {
  return { curl, python, mirth }[way](from, to, options, { inside, needsKey, address });
}

const query = (to, options) => new URLSearchParams({ to, ...options }).toString();

function curl(from, to, options, { inside, needsKey, address }) {
  const key = needsKey ? ` \\\n  -H "Authorization: Bearer $BRIDGE_KEY"` : "";
  const input = inside ? "@-" : `@${FILES[from.form]}`;
  const command = `curl --fail-with-body -H ${quoted(`Content-Type: ${TYPES[from.form]}`)}${key} \\\n`
    + `  --data-binary ${input} -o ${to === from.form ? `new-${FILES[to]}` : FILES[to]} \\\n  ${quoted(`${address}v1/translate?${query(to, options)}`)}`;
  if (!inside) return command;
  const text = from.base64 ? from.base64.replace(/.{1,76}/g, "$&\n").trimEnd() : from.text.replace(/\n$/, "");
  const filter = from.base64 ? "base64 -d" : from.form === "hl7v2" ? "tr '\\n' '\\r'" : "cat";
  return `${filter} <<'DOCUMENT' |\n${text}\nDOCUMENT\n${command}`;
}

function python(from, to, options, { inside }) {
  const chosen = Object.entries(options).map(([name, value]) => `, ${ARGUMENTS[name] ?? name}=${literal(value)}`).join("");
  const document = !inside ? `Path("${FILES[from.form]}")`
    : from.base64 ? `b64decode("${from.base64}")` : JSON.stringify(from.form === "hl7v2" ? from.text.replaceAll("\n", "\r") : from.text);
  return `${inside && from.base64 ? "from base64 import b64decode\n" : ""}from pathlib import Path

import bridge

b = bridge.load()
result = b.translate(${document}, to="${to}", source="${from.form}"${chosen})
Path("${to === from.form ? `new-${FILES[to]}` : FILES[to]}").write_bytes(result.to_bytes())
for issue in result.issues:
    print(issue)
print(result.ledger.counts())
`;
}

function mirth(from, to, options, { address, needsKey }) {
  const key = needsKey ? " --api-key bridgeApiKey" : "";
  const chosen = Object.keys(options).length ? `, ${JSON.stringify(options)}` : "";
  return `// JavaScript Writer. The function is in the library of code templates, made for this service by
//   bridge mirth -o mirth-files --url ${address.replace(/\/$/, "")}${key}
// (code-templates.xml: Edit Code Templates, Import Libraries)
return bridgeTranslate(connectorMessage.getEncodedData(), '${to}'${chosen});
`;
}
