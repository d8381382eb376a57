// Paths to places in a text: FHIRPath in FHIR JSON, tags in DICOM JSON, locations in ER7, rows in YAML.
// A place is [start, end]; what a path does not lead to has none.

/** Return the tree of a JSON text with places, or null if it is none. Nodes: {s, e, of: Map | Array | undefined}. */
function tree(text) {
  const token = /[ \t\r\n]*(?:([{}[\],:])|"((?:[^"\\]|\\.)*)"|([^\s{}[\],:"]+))/gy;
  const open = [];
  let root = null, key = null, node;
  const put = (made) => {
    const parent = open[open.length - 1];
    if (!parent) root ??= made;
    else if (Array.isArray(parent.of)) parent.of.push(made);
    else if (key !== null) { parent.of.set(key, made); key = null; } else return false;
    return true;
  };
  for (let at = 0; at < text.length;) {
    token.lastIndex = at;
    const found = token.exec(text);
    if (!found) return /\S/.test(text.slice(at)) ? null : root;
    const end = token.lastIndex, mark = found[1];
    at = end;
    if (mark === "{" || mark === "[") {
      node = { s: end - 1, e: end, of: mark === "{" ? new Map() : [] };
      if (!put(node)) return null;
      open.push(node);
      key = null;
    } else if (mark === "}" || mark === "]") {
      if (!open.length) return null;
      open.pop().e = end;
    } else if (!mark) {
      const parent = open[open.length - 1];
      const start = found[2] === undefined ? end - found[3].length : end - found[2].length - 2;
      if (parent && !Array.isArray(parent.of) && key === null) key = found[2] ?? found[3];
      else put({ s: start, e: end, text: found[2] ?? found[3] });
    }
  }
  return open.length ? null : root;
}

const steps = (path) => path.split(".").flatMap((part) => {
  const found = /^([^[\]]*)((?:\[\d+\])*)$/.exec(part);
  if (!found) return [part];
  const indexes = [...found[2].matchAll(/\d+/g)].map((number) => Number(number[0]));
  return found[1] ? [found[1], ...indexes] : indexes;
});

function down(node, step) {
  if (!node?.of) return undefined;
  if (typeof step === "number") return Array.isArray(node.of) ? node.of[step] : step === 0 ? node : undefined;
  if (Array.isArray(node.of)) return undefined;
  const found = node.of.get(step);
  if (found || step !== "value") return found;
  for (const [name, inner] of node.of) if (/^value[A-Z]/.test(name)) return inner;
  return undefined;
}

/** Return the node that a FHIRPath leads to; an element that only says why it has no value is its own place. */
function inFhir(root, path) {
  let node = root;
  const way = steps(path).slice(1);
  for (const [number, step] of way.entries()) {
    const next = down(node, step) ?? (typeof step === "string" ? down(node, `_${step}`) : undefined);
    if (!next) return number === way.length - 1 && number ? node : undefined;
    node = next;
  }
  return node;
}

const tagged = (node, tag) => node?.of instanceof Map
  ? node.of.get(tag) ?? node.of.get(tag.toLowerCase()) : undefined;

/** Return the node that a path of tags leads to: the values of an element, or the element if it has none. */
function inDicom(root, path) {
  let node = root, element;
  for (const [number, step] of steps(path).entries()) {
    if (typeof step === "number") node = number ? down(element?.of?.get("Value"), step) : down(root, step);
    else {
      if (Array.isArray(node?.of) && number === 0) node = node.of[0];
      node = element = tagged(node, step);
    }
    if (!node) return undefined;
  }
  return (node === element && (node.of?.get?.("Value") ?? node.of?.get?.("InlineBinary"))) || node;
}

/** Return place finders by format: text -> (path -> list of places). */
export const finders = {
  fhir(text) {
    const root = tree(text);
    const found = (path) => root && inFhir(root, path);
    return (path, claimed) => {
      const node = found(path);
      if (!node) return [];
      const places = [[node.s, node.e]];
      const repeated = /^(.*\.extension)\[(\d+)\]\.value$/.exec(path);
      if (repeated) { // an attribute of several values: one extension each, named by the first
        const all = found(repeated[1])?.of ?? [];
        const url = all[repeated[2]]?.of?.get("url")?.text;
        for (let i = Number(repeated[2]) + 1; all[i]?.of?.get("url")?.text === url && all[i]; i += 1) {
          if (claimed.has(`${repeated[1]}[${i}].value`)) break;
          const value = down(all[i], "value") ?? all[i];
          places.push([value.s, value.e]);
        }
      }
      return places;
    };
  },
  "dicom-json"(text) {
    const root = tree(text);
    return (path) => {
      const node = root && inDicom(root, path);
      return node ? [[node.s, node.e]] : [];
    };
  },
  hl7v2(text) {
    const messages = er7(text);
    return (path) => {
      const place = inEr7(messages, path);
      return place ? [place] : [];
    };
  },
};

/** Return the messages of an ER7 text: their separators, and the places of their segments by name. */
function er7(text) {
  const messages = [];
  let at = 0;
  for (const line of text.split("\n")) {
    const name = line.slice(0, 3);
    if (name === "MSH") messages.push({ marks: line.slice(3, 8), segments: {} });
    const message = messages[messages.length - 1];
    if (message && name.length === 3) (message.segments[name] ??= []).push([at, line]);
    at += line.length + 1;
  }
  return messages;
}

function inEr7(messages, path) {
  const found = /^(?:MSG\[(\d+)\]\.)?(\w{3})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+)(?:\.(\d+))?)?)?$/.exec(path);
  const message = found && messages[Number(found[1] ?? 1) - 1];
  const segment = message?.segments[found[2]]?.[Number(found[3] ?? 1) - 1];
  if (!segment) return undefined;
  const [offset, line] = segment, [field, component, repetition, , subcomponent] = message.marks;
  let place = [0, line.length];
  const cut = (mark, number) => {
    if (!place || !mark) return;
    let start = place[0];
    for (let n = 1; n < number; n += 1) {
      const next = line.indexOf(mark, start);
      if (next < 0 || next >= place[1]) { place = undefined; return; }
      start = next + 1;
    }
    const end = line.indexOf(mark, start);
    place = [start, end < 0 || end > place[1] ? place[1] : end];
  };
  if (found[4]) {
    cut(field, Number(found[4]) + (found[2] === "MSH" ? 0 : 1));
    if (found[5]) cut(repetition, Number(found[5]));
    if (found[6]) cut(component, Number(found[6]));
    if (found[7]) cut(subcomponent, Number(found[7]));
  }
  return place && [offset + place[0], offset + place[1]];
}

/** Return the place of the row that starts at a line and column (both from 1) of a table in an editor. */
export function rowPlace(editor, line, column) {
  const indent = column - 1;
  let last = line - 1;
  for (let at = line; at < editor.starts.length; at += 1) {
    const found = /^( *)(\S?)(\w*)/.exec(editor.lineText(at));
    if (found[2] === "" || found[2] === "#") continue;
    if (found[1].length < indent || /^(rows|groups)$/.test(found[2] + found[3])) break;
    last = at;
  }
  return [editor.at(line - 1) + Math.max(0, indent - 2), editor.at(last) + editor.lineText(last).length];
}
