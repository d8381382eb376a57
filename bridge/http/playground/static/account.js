// The account: issues with their remedies, and the ledger with a line for every value.

import { copyTab } from "./copying.js";
import { panes, placesOf } from "./forms.js";
import { light, point } from "./light.js";
import { $, FORMS, count, make, state } from "./state.js";

const LONGEST_LEDGER = 400;
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

export function showTab() {
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
