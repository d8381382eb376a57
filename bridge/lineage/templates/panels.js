const ROW = 52, EVEN = new Set(["together", "choice"]);
let listed = plans, active = -1, details = [], tab = "attributes";

function made(name, about = {}, ...inside) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (key in node && !key.startsWith("aria")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...inside);
  return node;
}

// Date, intent, approval where it is known, and whose plan it is.
const told = ({ line, last, frame }) => [line, ...last.split(" · ").slice(0, -1), data.frames[frame][0]].join(" · ");
const badge = (severity, text) => made("span", { className: `badge ${severity}` }, text);

// The list of plans: only the rows that are seen exist.
function list() {
  const host = find("plans"), spacer = host.querySelector(".spacer");
  spacer.style.height = `${listed.length * ROW}px`;
  const first = Math.max(0, Math.floor(host.scrollTop / ROW) - 4);
  const last = Math.min(listed.length, first + Math.ceil((host.clientHeight || 600) / ROW) + 8);
  const rows = [];
  for (let at = first; at < last; at += 1) rows.push(row(listed[at], at));
  host.replaceChildren(spacer, ...rows);
  if (active >= first && active < last) host.setAttribute("aria-activedescendant", `row-${active}`);
  else host.removeAttribute("aria-activedescendant");
}

function row(plan, at) {
  const name = made("b", {}, plan.title);
  const node = made("div", { id: `row-${at}`, className: `row ${plan.role}`, role: "option" }, name);
  node.setAttribute("aria-selected", String(plan.index === state.chosen));
  node.setAttribute("aria-setsize", String(listed.length));
  node.setAttribute("aria-posinset", String(at + 1));
  node.style.top = `${at * ROW}px`;
  if (plan.latest) node.append(made("span", { className: "latest" }, "latest"));
  if (plan.severity) node.append(badge(plan.severity, String(plan.count)));
  node.append(made("small", {}, `${plan.line} · ${data.frames[plan.frame][0]}`));
  node.addEventListener("click", () => { active = at; choose(plan.index); });
  return node;
}

function step(to) {
  if (!listed.length) return;
  active = Math.min(listed.length - 1, Math.max(0, to));
  const host = find("plans"), top = active * ROW;
  if (top < host.scrollTop) host.scrollTop = top;
  else if (top + ROW > host.scrollTop + host.clientHeight) host.scrollTop = top + ROW - host.clientHeight;
  choose(listed[active].index);
}

function search() {
  const asked = find("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  listed = asked.length ? plans.filter((plan) => asked.every((word) => plan.text.includes(word))) : plans;
  state.hits = asked.length ? new Set(listed.map((plan) => plan.index)) : null;
  active = -1;
  const missing = plans.filter((plan) => plan.role === "missing").length;
  const whole = `${plans.length - missing} plans${missing ? `, ${missing} not here` : ""}`;
  find("found").textContent = asked.length ? `${listed.length} found in ${whole}` : whole;
  find("plans").scrollTop = 0;
  turn("plans");
  list();
  repaint();
}

// Findings between plans.
function findings() {
  const host = find("findings");
  find("tab-findings").textContent = `Findings (${data.findings.length})`;
  if (!data.findings.length) host.append(made("p", { className: "found" }, "Nothing was found between these plans."));
  for (const one of data.findings.slice(0, 2000)) {
    const about = one.plans.map((index) => plans[index].title).slice(0, 4).join(", ");
    const node = made("button", { className: "finding", type: "button" }, badge(one.severity, one.severity), " ", made("code", {}, one.code));
    node.append(made("p", {}, one.message), made("p", { className: "soft" }, about));
    node.addEventListener("click", () => choose(one.plans[0]));
    host.append(node);
  }
  if (data.findings.length > 2000) host.append(made("p", { className: "found" }, `${data.findings.length - 2000} more; the JSON form has all.`));
}

function turn(name) {
  for (const one of ["plans", "findings"]) {
    find(one).hidden = one !== name;
    find(`tab-${one}`).setAttribute("aria-selected", String(one === name));
    find(`tab-${one}`).tabIndex = one === name ? 0 : -1;
  }
  find("found").hidden = name !== "plans";
  if (name === "plans") list();
}

// The panel of one plan.
function choose(index) {
  state.chosen = index;
  const plan = plans[index];
  find("panel").hidden = false;
  find("name").textContent = plan.title;
  find("line").replaceChildren(told(plan));
  if (plan.latest) find("line").append(made("span", { className: "latest" }, "latest"));
  find("uid").textContent = plan.uid;
  find("related").replaceChildren(...related(plan));
  if (!isWhole(plan)) show(plan);
  repaint();
  list();
  tabs();
  body(index);
}

// Whether the plan says the same of the other one: then one line stands for both.
const isSaidBack = (plan, { term, source }) => EVEN.has(term.kind) && plan.out.some((one) => one.target === source && one.term === term);

function related(plan) {
  const nodes = [];
  const line = (one, other, said) => {
    const button = made("button", { type: "button" }, plans[other].title);
    button.addEventListener("click", () => choose(other));
    const node = made("div", { className: `relation k-${one.term.kind}` }, made("span", { className: "term" }, one.term.name), made("span", {}, said, " ", button));
    nodes.push(node);
  };
  for (const one of plan.out) {
    line(one, one.target, one.term.says);
    if (one.term.excludes) nodes.push(made("p", { className: "not" }, `This does not say that ${one.term.excludes}.`));
  }
  for (const one of plan.into) if (!isSaidBack(plan, one)) line(one, one.source, one.term.back);
  if (!nodes.length) nodes.push(made("p", { className: "soft" }, "No relationship to another plan."));
  return nodes;
}

const TABS = { attributes: "Attributes", issues: "Issues", fhir: "FHIR", hl7v2: "HL7 v2" };

function tabs() {
  const host = document.querySelector("#panel .tabs");
  host.replaceChildren(...Object.entries(TABS).map(([name, title]) => {
    const count = name === "issues" && plans[state.chosen].count ? ` (${plans[state.chosen].count})` : "";
    const node = made("button", { type: "button", role: "tab", id: `tab-${name}` }, title + count);
    node.setAttribute("aria-selected", String(name === tab));
    node.setAttribute("aria-controls", "body");
    node.tabIndex = name === tab ? 0 : -1;
    node.addEventListener("click", () => { tab = name; tabs(); body(state.chosen); find(`tab-${name}`).focus(); });
    return node;
  }));
  find("body").setAttribute("aria-labelledby", `tab-${tab}`);
}

async function body(index) {
  const shown = tab, host = find("body");
  const nodes = plans[index].role === "missing" && tab !== "issues" ? [made("p", {}, "No document tells of this plan.")] : parts[tab](await detail(index), index);
  if (state.chosen === index && tab === shown) host.replaceChildren(...nodes);
}

const parts = {
  attributes: (known) => [made("table", {}, made("tbody", {}, ...known.attributes.map(([name, tag, value, depth]) =>
    made("tr", { className: `d${Math.min(depth, 2)}` }, made("th", { scope: "row" }, name, made("code", {}, `(${tag.slice(0, 4)},${tag.slice(4)})`)), made("td", {}, value))))),
    made("p", { className: "soft" }, `Read from ${known.told.join(", ")}.`)],
  issues: (known, index) => {
    const own = data.findings.filter((one) => one.plans.includes(index));
    const nodes = [...own, ...(known ? known.issues : [])].map((one) => made("div", { className: "issue" }, badge(one.severity, one.severity), " ", made("code", {}, one.code),
      made("p", {}, one.message), made("p", { className: "soft" }, `${one.remedy}${one.path ? ` · ${one.path}` : ""}`)));
    return nodes.length ? nodes : [made("p", {}, "Nothing was found.")];
  },
  fhir: (known) => [made("pre", { tabIndex: 0 }, known.fhir || "FHIR cannot hold this plan.")],
  hl7v2: (known) => [made("pre", { tabIndex: 0 }, known.hl7v2 || "HL7 v2 cannot hold this plan.")],
};

// What is known of plans lies compressed in the page, some plans a piece.
async function detail(index) {
  if (plans[index].role === "missing") return null;
  const piece = Math.floor(index / data.piece);
  details[piece] ??= unpacked(find(`piece-${piece}`).textContent);
  return (await details[piece])[index % data.piece];
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function close() {
  if (!find("legend").hidden) return legend(false);
  state.chosen = -1;
  find("panel").hidden = true;
  list();
  repaint();
  find("plans").focus();
}

function legend(isOpen) {
  find("legend").hidden = !isOpen;
  find("help").setAttribute("aria-expanded", String(isOpen));
}

function terms() {
  const host = find("legend").querySelector("dl"), space = "http://www.w3.org/2000/svg";
  for (const term of data.terms) {
    const stroke = data.strokes[term.kind], picture = document.createElementNS(space, "svg"), line = document.createElementNS(space, "path");
    for (const [name, value] of Object.entries({ width: 46, height: 12, "aria-hidden": "true" })) picture.setAttribute(name, value);
    line.setAttribute("d", stroke.arrow ? "M0 6H38M38 6l-7 -4M38 6l-7 4" : "M0 6H44");
    line.setAttribute("stroke-width", stroke.width);
    line.setAttribute("stroke-dasharray", stroke.dashes.join(" ") || "none");
    line.style.stroke = `var(--${term.kind})`;
    picture.append(line);
    host.append(made("dt", {}, picture, term.name));
    const said = term.means ? `${term.means[0].toUpperCase()}${term.means.slice(1)}${term.toThis ? "; the arrow points to this plan" : ""}. It does not say that ${term.excludes}.` : "A term that the tables do not describe; nothing is concluded from it.";
    host.append(made("dd", {}, said));
  }
}
