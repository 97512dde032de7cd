// The person's status page. The ticket in the fragment opens it once; the key that it is exchanged for lives in this
// page alone. Everything shown goes through textContent.
import { words } from "./words.js";

let language = navigator.language.startsWith("en") ? "en" : "fr";
let key = "";
const at = (id) => document.getElementById(id);
const say = (name) => words[language][name];

async function call(method, path, headers, body) {
  const sent = { "CPS-Agent": "1", ...headers };
  if (body) sent["Content-Type"] = "application/json";
  return fetch(path, { method, headers: sent, body: body && JSON.stringify(body), cache: "no-store" });
}
const keyed = (method, path, body) => call(method, path, { "CPS-Page": key }, body);

function notice(name, bad = false) {
  delete at("notice").dataset.words;
  at("notice").textContent = name ? say(name) : "";
  at("notice").className = bad ? "bad" : "";
}

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

const moment = (epoch) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(epoch * 1000);
const day = (epoch) => new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(epoch * 1000);

/** A table of `rows`, or the words for none; a cell is a text or an element. */
function table(id, columns, rows, none = "none") {
  const place = at(id);
  if (rows.length === 0) {
    place.replaceChildren(element("p", say(none)));
    return;
  }
  const head = element("tr", null, ...columns.map((column) => {
    const cell = element("th", say(column));
    cell.scope = "col";
    return cell;
  }));
  const body = rows.map((row) => element("tr", null, ...row.map((cell, column) => {
    const made = element(column === 0 ? "th" : "td", null, cell);
    if (column === 0) made.scope = "row";
    return made;
  })));
  const made = element("table", null, element("thead", null, head), element("tbody", null, ...body));
  made.setAttribute("aria-labelledby", `${id}-title`);
  place.replaceChildren(made);
}

function button(word, about, path, body) {
  const made = element("button", say(word));
  made.type = "button";
  made.setAttribute("aria-label", `${say(`${word}_of`)} ${about}`);
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      const answer = await keyed("POST", path, body);
      notice(answer.ok ? "done" : "failed", !answer.ok);
    } catch {
      notice("failed", true);
    }
    await refresh();
  });
  return made;
}

function show(state) {
  language = state.language;
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-words]")) one.textContent = say(one.dataset.words);
  at("version").textContent = `${state.version} · 127.0.0.1:${state.port}`;
  at("card").textContent = say(!state.service ? "no_service" : state.readers.length === 0 ? "no_reader" : `card_${state.card}`);
  at("readers").replaceChildren(...state.readers.map((reader) => element("li", reader.name)));
  at("certificate").replaceChildren(...(state.certificate ? [
    element("dt", say("holder")), element("dd", state.certificate.holder),
    element("dt", say("not_after")), element("dd", day(state.certificate.not_after)),
  ] : []));
  at("problems-section").hidden = state.problems.length === 0;
  at("problems").replaceChildren(...state.problems.map((problem) => element("li", problem)));
  table("sessions", ["origin", "features", "left", "opened", "action"], state.sessions.map((one) => [
    one.origin, one.features.join(", "), String(one.left), moment(one.opened),
    button("end", one.origin, "/page/sessions/end", { id: one.id })]), "none_f");
  table("consents", ["origin", "features", "until", "action"], state.consents.map((one) => [
    one.origin, one.features.join(", "), day(one.until),
    button("revoke", one.origin, "/page/consents/revoke", { origin: one.origin })]));
  table("portals", ["origin", "name", "features"], state.portals.map((one) => [
    one.origin, one.name, one.features.join(", ")]));
  table("journal", ["time", "what", "origin", "outcome"], state.journal.map((one) => [
    moment(one.time), one.what, one.origin, one.outcome]), "nothing");
  at("facts").hidden = false;
}

async function refresh() {
  try {
    const answer = await keyed("GET", "/page/state");
    if (!answer.ok) throw new Error("closed");
    show(await answer.json());
  } catch (error) {
    at("facts").hidden = true;
    notice(error.message === "closed" ? "closed" : "lost", true);
    return false;
  }
  return true;
}

/** Who comes back to the page sees how things are now. */
function follow() {
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  addEventListener("focus", refresh);
}

async function open() {
  const ticket = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  for (const one of document.querySelectorAll("[data-words]")) one.textContent = say(one.dataset.words);
  const answer = ticket ? await call("POST", "/page/open", { "CPS-Ticket": ticket }, {}) : null;
  if (!answer?.ok) return notice("closed", true);
  key = (await answer.json()).key;
  notice("");
  if (await refresh()) follow();
}

open().catch(() => notice("lost", true));
