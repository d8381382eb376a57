// The service: every request of the page, and the key where one is asked for.

import { $, state } from "./state.js";

let asking = null;
export async function ask(path, body, signal) {
  const headers = state.secret ? { Authorization: `Bearer ${state.secret}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(`playground/${path}`, {
    method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal,
    cache: "no-store", credentials: "omit",
  });
  if (answer.status === 401 || answer.status === 403) {
    await askKey(answer.status === 403 ? "The key may not translate." : state.secret ? "This is not a key of the service." : "");
    return ask(path, body, signal);
  }
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.detail ?? `HTTP ${answer.status}`), { issues: said.errors });
  return said;
}

export function askKey(said) {
  asking ??= new Promise((resolve) => {
    $("key-said").textContent = said;
    $("secret").value = "";
    $("key").oncancel = (event) => event.preventDefault();
    $("key").onclose = () => { state.secret = $("secret").value.trim(); asking = null; resolve(); };
    $("key").showModal();
  });
  return asking;
}
