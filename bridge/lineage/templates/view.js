"use strict";
const find = (id) => document.getElementById(id);
const data = JSON.parse(find("data").textContent);
const ROLES = ["plan", "check", "missing"];
const SEVERITIES = ["", "note", "warning", "error"];
const plans = data.plans.map(([uid, title, line, last, role, latest, severity, count, x, y, frame], index) => ({
  index, uid, title, line, last, role: ROLES[role], latest: latest === 1, severity: SEVERITIES[severity], count, x, y, frame,
  out: [], into: [], text: `${title} ${line} ${last} ${uid} ${data.frames[frame][0]}`.toLowerCase(),
}));
const relations = data.relations.map(([source, target, term]) => ({ source, target, term: data.terms[term] }));
for (const one of relations) {
  plans[one.source].out.push(one);
  plans[one.target].into.push(one);
}
const curves = data.curves.map(([source, target, term, atStart, atEnd, points]) => {
  const xs = points.filter((_, at) => at % 2 === 0), ys = points.filter((_, at) => at % 2 === 1);
  return {
    source, target, atStart, atEnd, points, term: data.terms[term], path: null,
    left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys),
  };
});

const canvas = find("canvas"), pen = canvas.getContext("2d");
const [WIDTH, HEIGHT] = data.card;
const SANS = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",sans-serif';
const MONO = 'ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace';
const state = { zoom: 1, left: 0, top: 0, chosen: -1, over: -1, hits: null, colours: {} };
let due = false;

function colours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of data.colours) state.colours[name] = style.getPropertyValue(`--${name}`).trim();
}

function repaint() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => { due = false; paint(); });
}

function paint() {
  const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect(), colour = state.colours;
  const width = Math.round(box.width * ratio), height = Math.round(box.height * ratio);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const { zoom, left, top } = state, scale = zoom * ratio;
  const right = left + box.width / zoom, bottom = top + box.height / zoom;
  const isSeen = (x, y, wide, tall) => x < right && x + wide > left && y < bottom && y + tall > top;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = colour.page;
  pen.fillRect(0, 0, width, height);
  pen.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
  for (const frame of data.frames) if (isSeen(...frame.slice(1))) paintFrame(frame, colour, zoom);
  for (const box_ of data.clusters) if (isSeen(...box_)) paintBox(box_, colour);
  const kin = kinOf(state.chosen >= 0 ? state.chosen : state.over);
  for (const curve of curves) {
    if (isSeen(curve.left, curve.top, curve.right - curve.left + 1, curve.bottom - curve.top + 1)) paintCurve(curve, colour, zoom, kin);
  }
  for (const plan of plans) if (isSeen(plan.x, plan.y, WIDTH, HEIGHT)) paintCard(plan, colour, zoom, kin);
  find("zoom").textContent = `${Math.round(zoom * 100)}%`;
}

function kinOf(index) {
  if (index < 0) return null;
  const kin = new Set([index]);
  for (const one of plans[index].out) kin.add(one.target);
  for (const one of plans[index].into) kin.add(one.source);
  return kin;
}

function rounded(x, y, wide, tall, radius) {
  pen.beginPath();
  pen.roundRect(x, y, wide, tall, radius);
}

function paintFrame([title, x, y, wide, tall], colour, zoom) {
  rounded(x, y, wide, tall, 12);
  pen.fillStyle = colour.frame;
  pen.fill();
  pen.lineWidth = Math.max(1, 0.7 / zoom);
  pen.strokeStyle = colour.rim;
  pen.stroke();
  const size = Math.min(34, Math.max(14, 10 / zoom));
  pen.font = `650 ${size}px ${SANS}`;
  pen.fillStyle = zoom < 0.3 ? colour.soft : colour.text;
  if (size * zoom > 4.5) pen.fillText(fitted(title, wide - 30), x + 18, y + 13 + size * 0.72);
}

function paintBox([x, y, wide, tall], colour) {
  rounded(x, y, wide, tall, 14);
  pen.fillStyle = colour.cluster;
  pen.fill();
  pen.lineWidth = 1.2;
  pen.strokeStyle = colour.together;
  pen.stroke();
}

function paintCurve(curve, colour, zoom, kin) {
  const { points, term } = curve, stroke = data.strokes[term.kind];
  const isKin = kin && (kin.has(curve.source) && kin.has(curve.target));
  pen.globalAlpha = kin && !isKin ? 0.25 : 1;
  pen.strokeStyle = pen.fillStyle = colour[term.kind];
  pen.lineWidth = Math.max(stroke.width, 0.8 / zoom);
  pen.setLineDash(zoom < 0.3 ? [] : stroke.dashes);
  curve.path ??= new Path2D(`M${points[0]} ${points[1]}C${points.slice(2).join(" ")}`);
  pen.stroke(curve.path);
  pen.setLineDash([]);
  if (stroke.arrow && zoom > 0.15) {
    if (curve.atEnd) head(points.slice(-4));
    if (curve.atStart) head([points[2], points[3], points[0], points[1]]);
  }
  if (zoom > 0.55 && term.kind !== "together") paintTerm(curve, colour);
  pen.globalAlpha = 1;
}

function head([fromX, fromY, x, y]) {
  const length = Math.hypot(x - fromX, y - fromY) || 1, dx = ((x - fromX) / length) * 9, dy = ((y - fromY) / length) * 9;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x - dx - dy / 2, y - dy + dx / 2);
  pen.lineTo(x - dx + dy / 2, y - dy - dx / 2);
  pen.fill();
}

function paintTerm({ points, term }, colour) {
  const [x, y, nextX] = points, endX = points.at(-2), endY = points.at(-1);
  const isColumn = Math.abs(endX - x) < 40, goesLeft = !isColumn && nextX < x;
  const atX = isColumn ? x + (nextX - x) * 0.75 + 8 : x + (goesLeft ? -16 : 16);
  const atY = isColumn ? (y + endY) / 2 + 4 : y + (endY < y ? 15 : -7);
  pen.font = `600 10px ${SANS}`;
  pen.textAlign = goesLeft ? "right" : "left";
  pen.lineJoin = "round";
  pen.lineWidth = 4;
  pen.strokeStyle = colour.frame;
  pen.strokeText(term.name, atX, atY);
  pen.fillText(term.name, atX, atY);
  pen.textAlign = "left";
}

function paintCard(plan, colour, zoom, kin) {
  const { x, y } = plan, isChosen = plan.index === state.chosen, isMissing = plan.role === "missing";
  const isHit = state.hits && state.hits.has(plan.index);
  pen.globalAlpha = (kin && !kin.has(plan.index)) || (state.hits && !isHit && !isChosen) ? 0.4 : 1;
  rounded(x, y, WIDTH, HEIGHT, 9);
  const mark = plan.severity && zoom < 0.3 ? colour[plan.severity] : plan.role === "check" ? colour.check : colour.plan;
  pen.fillStyle = zoom < 0.3 && !isMissing ? mark : colour.card;
  pen.fill();
  pen.setLineDash(isMissing ? [5, 4] : []);
  pen.strokeStyle = isChosen || isHit || plan.index === state.over ? colour.note : colour.edge;
  pen.lineWidth = isChosen ? Math.max(3, 2 / zoom) : Math.max(isHit ? 2.4 : 1, 0.6 / zoom);
  pen.stroke();
  pen.setLineDash([]);
  if (zoom >= 0.3) paintWords(plan, colour, zoom, mark, isMissing);
  pen.globalAlpha = 1;
}

function paintWords(plan, colour, zoom, mark, isMissing) {
  const { x, y } = plan;
  if (!isMissing) {
    pen.fillStyle = mark;
    rounded(x + 7, y + 11, 4, HEIGHT - 22, 2);
    pen.fill();
  }
  let right = x + WIDTH - 8;
  if (plan.severity) {
    pen.fillStyle = colour[plan.severity];
    pen.beginPath();
    pen.arc(right - 8, y + 17, 9, 0, 2 * Math.PI);
    pen.fill();
    words(String(Math.min(plan.count, 99)), right - 8, y + 21, `700 11px ${SANS}`, colour.card, "center");
    right -= 24;
  }
  pen.font = `650 14px ${SANS}`;
  words(fitted(plan.title, right - x - 26), x + 20, y + 26, pen.font, isMissing ? colour.soft : colour.text);
  if (zoom < 0.45) return;
  pen.font = `13px ${SANS}`;
  words(fitted(plan.line, WIDTH - (plan.latest ? 80 : 30)), x + 20, y + 46, pen.font, colour.soft);
  if (plan.latest) {
    rounded(x + WIDTH - 52, y + 33, 44, 17, 8.5);
    pen.strokeStyle = colour.latest;
    pen.lineWidth = 1;
    pen.stroke();
    words("latest", x + WIDTH - 30, y + 45, `600 10px ${SANS}`, colour.latest, "center");
  }
  words(plan.last, x + 20, y + 64, `10.5px ${MONO}`, colour.soft);
}

function words(text, x, y, font, fill, align = "left") {
  pen.font = font;
  pen.fillStyle = fill;
  pen.textAlign = align;
  pen.fillText(text, x, y);
  pen.textAlign = "left";
}

function fitted(text, width) {
  if (pen.measureText(text).width <= width) return text;
  let shown = text;
  while (shown && pen.measureText(`${shown}…`).width > width) shown = shown.slice(0, -1);
  return `${shown}…`;
}

function zoomTo(zoom, x, y) {
  const box = canvas.getBoundingClientRect(), limited = Math.min(3, Math.max(least(), zoom));
  x ??= box.width / 2;
  y ??= box.height / 2;
  state.left += x / state.zoom - x / limited;
  state.top += y / state.zoom - y / limited;
  state.zoom = limited;
  repaint();
}

const least = () => Math.min(0.25, whole() / 2);

function whole() {
  const box = canvas.getBoundingClientRect();
  return Math.min(1.25, (box.width - 48) / data.size[0], (box.height - 48) / data.size[1]);
}

function fit() {
  const box = canvas.getBoundingClientRect();
  state.zoom = Math.max(whole(), 0.001);
  state.left = (data.size[0] - box.width / state.zoom) / 2;
  state.top = (data.size[1] - box.height / state.zoom) / 2;
  repaint();
}

function show(plan) {
  const box = canvas.getBoundingClientRect();
  state.zoom = Math.max(state.zoom, 0.75);
  state.left = plan.x + WIDTH / 2 - box.width / 2 / state.zoom;
  state.top = plan.y + HEIGHT / 2 - box.height / 2 / state.zoom;
  repaint();
}

function isWhole(plan) {
  const box = canvas.getBoundingClientRect(), x = (plan.x - state.left) * state.zoom, y = (plan.y - state.top) * state.zoom;
  return state.zoom >= 0.45 && x >= 0 && y >= 0 && x + WIDTH * state.zoom <= box.width && y + HEIGHT * state.zoom <= box.height;
}

function planAt(event) {
  const box = canvas.getBoundingClientRect();
  const x = state.left + (event.clientX - box.left) / state.zoom, y = state.top + (event.clientY - box.top) / state.zoom;
  return plans.findIndex((plan) => x >= plan.x && x <= plan.x + WIDTH && y >= plan.y && y <= plan.y + HEIGHT);
}
