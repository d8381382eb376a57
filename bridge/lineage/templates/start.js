// Mouse, touch, keys.
const touches = new Map();
let moved = 0;

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  touches.set(event.pointerId, [event.clientX, event.clientY]);
  moved = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const last = touches.get(event.pointerId);
  if (!last) {
    const over = planAt(event);
    canvas.classList.toggle("over", over >= 0);
    if (over !== state.over) { state.over = over; repaint(); }
    return;
  }
  const others = [...touches].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
  const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
  moved += Math.abs(dx) + Math.abs(dy);
  if (others.length) {
    const [x, y] = others[0], before = Math.hypot(last[0] - x, last[1] - y), after = Math.hypot(event.clientX - x, event.clientY - y);
    const box = canvas.getBoundingClientRect();
    if (before > 0) zoomTo((state.zoom * after) / before, (x + event.clientX) / 2 - box.left, (y + event.clientY) / 2 - box.top);
  } else {
    canvas.classList.add("moving");
    state.left -= dx / state.zoom;
    state.top -= dy / state.zoom;
    repaint();
  }
  touches.set(event.pointerId, [event.clientX, event.clientY]);
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    touches.delete(event.pointerId);
    canvas.classList.remove("moving");
    const hit = name === "pointerup" && moved < 5 ? planAt(event) : -1;
    if (hit >= 0) choose(hit);
  });
}
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = canvas.getBoundingClientRect();
  zoomTo(state.zoom * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  const move = MOVES[event.key];
  if (!move) return;
  event.preventDefault();
  state.left += (move[0] * 80) / state.zoom;
  state.top += (move[1] * 80) / state.zoom;
  repaint();
});
find("plans").addEventListener("keydown", (event) => {
  const page = Math.max(1, Math.floor(find("plans").clientHeight / ROW) - 1);
  const to = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: listed.length - 1, PageDown: active + page, PageUp: active - page, Enter: active }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  step(to);
  if (event.key === "Enter") find("panel").focus();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input");
  if (event.key === "Escape") {
    if (isTyping && find("search").value) { find("search").value = ""; search(); } else close();
  } else if (isTyping) {
    if (event.key === "Enter" || event.key === "ArrowDown") { event.preventDefault(); find("plans").focus(); step(active + 1); }
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.key === "/") {
    event.preventDefault();
    find("search").focus();
  } else if (event.key === "+" || event.key === "=") zoomTo(state.zoom * 1.25);
  else if (event.key === "-") zoomTo(state.zoom / 1.25);
  else if (event.key === "0") fit();
  else if (event.key === "?") legend(find("legend").hidden);
});
document.addEventListener("keydown", (event) => {
  const list_ = event.target.closest?.("[role=tablist]"), way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!list_ || !way) return;
  const all = [...list_.querySelectorAll("[role=tab]")], next = all[(all.indexOf(event.target) + way + all.length) % all.length];
  next.click();
  find(next.id).focus();
});

find("search").addEventListener("input", search);
find("plans").addEventListener("scroll", list);
find("in").addEventListener("click", () => zoomTo(state.zoom * 1.25));
find("out").addEventListener("click", () => zoomTo(state.zoom / 1.25));
find("fit").addEventListener("click", fit);
find("help").addEventListener("click", () => legend(find("legend").hidden));
find("close").addEventListener("click", close);
find("tab-plans").addEventListener("click", () => turn("plans"));
find("tab-findings").addEventListener("click", () => turn("findings"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours(); repaint(); });
new ResizeObserver(() => { repaint(); list(); }).observe(canvas);

colours();
terms();
findings();
search();
fit();
document.documentElement.dataset.ready = "yes";
