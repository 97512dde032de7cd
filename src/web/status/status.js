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

/** Words that did not change stay as they are: a screen reader would say them again. */
function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function name_all() {
  for (const one of document.querySelectorAll("[data-words]")) put(one, say(one.dataset.words));
}

function notice(name, bad = false) {
  delete at("notice").dataset.words;
  put(at("notice"), name ? say(name) : "");
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

/** Puts `children` into `place`; who was at a button is at the same one after, or at the section's title. */
function replace(place, ...children) {
  const held = place.contains(document.activeElement) ? document.activeElement.dataset.asks : undefined;
  place.replaceChildren(...children);
  if (!held) return;
  const same = [...place.querySelectorAll("button")].find((one) => one.dataset.asks === held);
  (same ?? at(`${place.id}-title`)).focus();
}

/** A table of `rows`, or the words for none; a cell is a text or an element. Made anew only where it says something new. */
function table(id, columns, rows, none = "none") {
  const place = at(id);
  const said = JSON.stringify([language, rows.map((row) => row.map((cell) => cell.outerHTML ?? cell))]);
  if (place.said === said) return;
  place.said = said;
  if (rows.length === 0) return replace(place, ...(none ? [element("p", say(none))] : []));
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
  replace(place, made);
}

function button(word, about, path, body) {
  const made = element("button", say(word));
  made.type = "button";
  made.dataset.asks = JSON.stringify(body);
  made.setAttribute("aria-label", `${say(`${word}_of`)} ${about}`);
  let asked = false; // not `disabled`, which would take the focus away
  made.addEventListener("click", async () => {
    if (asked) return;
    asked = true;
    try {
      const answer = await keyed("POST", path, body);
      notice(answer.ok ? "done" : "failed", !answer.ok);
    } catch {
      notice("failed", true);
    }
    asked = false;
    await refresh();
  });
  return made;
}

const DAY = 86_400; // s
const SOON = 60; // days: a card is ordered anew in good time

/** When a certificate ends, and a warning where that is near. */
function end_of_certificate(epoch) {
  if (!epoch) return "";
  const left = Math.floor((epoch - Date.now() / 1000) / DAY);
  if (left > SOON) return day(epoch);
  const warning = element("strong", left < 0 ? say("expired") : say("days_left")(left));
  warning.className = "bad";
  return element("span", `${day(epoch)} – `, warning);
}

function show(state) {
  language = state.language;
  document.documentElement.lang = language;
  name_all();
  at("version").textContent = `${state.version} · 127.0.0.1:${state.port}`;
  put(at("card"), say(!state.service ? "no_service" : state.readers.length === 0 ? "no_reader" : `card_${state.card}`));
  at("readers").hidden = state.readers.length === 0;
  table("readers", ["reader", "card", "holder", "not_after"], state.readers.map((one) => [
    one.name, say(`reader_${one.card}`), one.holder ?? "", end_of_certificate(one.not_after)]));
  at("problems-section").hidden = state.problems.length === 0;
  at("problems").replaceChildren(...state.problems.map((problem) => element("li", problem)));
  put(at("sessions-count"), say("sessions_open")(state.sessions.length));
  table("sessions", ["origin", "features", "left", "opened", "action"], state.sessions.map((one) => [
    one.origin, one.features.join(", "), String(one.left), moment(one.opened),
    button("end", one.origin, "/page/sessions/end", { id: one.id })]), null);
  table("consents", ["origin", "features", "until", "action"], state.consents.map((one) => [
    one.origin, one.features.join(", "), day(one.until),
    button("revoke", one.origin, "/page/consents/revoke", { origin: one.origin })]));
  table("portals", ["origin", "name", "features"], state.portals.map((one) => [
    one.origin, one.name, one.features.join(", ")]));
  table("journal", ["time", "what", "origin", "outcome"], state.journal.map((one) => [
    moment(one.time), one.what, one.origin, say("outcomes")[one.outcome] ?? one.outcome]), "nothing");
  at("facts").hidden = false;
}

/** The end: nothing is shown that may not be so any more. */
function close(why) {
  at("facts").hidden = true;
  notice(why, true);
}

async function refresh() {
  try {
    const answer = await keyed("GET", "/page/state");
    if (!answer.ok) throw new Error("closed");
    show(await answer.json());
  } catch (error) {
    close(error.message === "closed" ? "closed" : "lost");
    return false;
  }
  return true;
}

const PAUSE = 250; // ms between two looks, however much happens
const AGAIN = 1000; // ms until a stream that ended is opened anew
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** The events of `stream`, each as its lines; what begins with a colon is a beat. */
async function* events_of(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let read; !(read = await reader.read()).done; ) {
    const parts = (text + read.value).split("\n\n");
    text = parts.pop();
    yield* parts.filter((part) => !part.startsWith(":"));
  }
}

/** Looks at how things are whenever the agent says that something changed. An EventSource could not send the key. */
async function follow() {
  for (;;) {
    const answer = await keyed("GET", "/page/events");
    if (!answer.ok) return close("closed");
    if (!(await refresh())) return;
    try {
      for await (const _ of events_of(answer.body)) {
        if (!(await refresh())) return;
        await pause(PAUSE);
      }
    } catch {
      // the agent went, or let this page go while it slept
    }
    await pause(AGAIN);
  }
}

async function open() {
  const ticket = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  name_all();
  const answer = ticket ? await call("POST", "/page/open", { "CPS-Ticket": ticket }, {}) : null;
  if (!answer?.ok) return notice("closed", true);
  key = (await answer.json()).key;
  notice("");
  await follow();
}

open().catch(() => close("lost"));
