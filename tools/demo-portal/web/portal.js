import { AGENT_PORTS, CpsError, errorOf, fetchWithCard } from "./cps.js";
import { wordsIn } from "./words.js";

const $ = (id) => document.getElementById(id);
const views = { login: $("login-view"), feature: $("feature-view") };

let language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === "fr" || tag === "en") ?? "fr";
let words = wordsIn(language);
/** @type {AbortController | undefined} the look-up under way */
let underWay;

function agentPorts() {
  const match = /^(\d+)-(\d+)$/.exec(document.querySelector("meta[name=cps-agent-ports]").content);
  return match ? { first: Number(match[1]), last: Number(match[2]) } : AGENT_PORTS;
}

function speak(chosen) {
  language = chosen;
  words = wordsIn(language);
  document.documentElement.lang = language;
  document.title = words.title;
  for (const node of document.querySelectorAll("[data-words]")) node.textContent = words[node.dataset.words];
  $("language").textContent = words.other;
  $("language").lang = language === "fr" ? "en" : "fr";
}

function show(view) {
  for (const [name, section] of Object.entries(views)) section.hidden = name !== view;
  $("logout").hidden = view !== "feature";
}

function clearResults() {
  for (const id of ["progress", "refusal", "patient"]) $(id).hidden = true;
}

/** The error in words: the sender's own detail, else ours. @param {unknown} error */
function messageOf(error) {
  if (!(error instanceof CpsError)) return words.errors.network;
  const text = words.errors[error.code] ?? (error.detail || words.errors.internal);
  return error.triesLeft === undefined ? text : text + words.tries(error.triesLeft);
}

function post(path, body) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": language },
    body: JSON.stringify(body),
  });
}

function enter(me) {
  $("who").textContent = me.name;
  show("feature");
  $("nir").focus();
}

function leave() {
  $("who").textContent = "";
  clearResults();
  $("nir").value = "";
  show("login");
  $("login").focus();
}

async function logIn(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const message = $("login-message");
  message.hidden = true;
  try {
    const response = await post("/api/login", { login: form.login.value, password: form.password.value });
    if (!response.ok) throw await errorOf(response, "portal");
    form.reset();
    enter(await response.json());
  } catch (error) {
    message.textContent = messageOf(error);
    message.hidden = false;
    form.password.select();
  }
}

const day = (iso) => new Date(`${iso}T00:00:00`).toLocaleDateString(language, { dateStyle: "long" });
const grouped = (nir) => nir.replace(/^(.)(..)(..)(..)(...)(...)(..)$/, "$1 $2 $3 $4 $5 $6 $7");

function showPatient(patient) {
  $("patient-name").textContent = `${patient.given_names} ${patient.surname}`;
  const facts = [
    [words.number, grouped(patient.nir)],
    [words.born, day(patient.born)],
    [words.scheme, patient.scheme],
    [words.until, day(patient.rights_until)],
    [words.illness, patient.long_illness ? words.yes : words.no],
    [words.complementary, patient.complementary ? words.yes : words.no],
    [words.physician, patient.physician],
  ];
  $("patient-facts").replaceChildren(
    ...facts.flatMap(([name, value]) => {
      const [term, fact] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      fact.textContent = value;
      return [term, fact];
    }),
  );
  $("patient").hidden = false;
  $("patient").focus();
}

function showRefusal(error) {
  $("refusal-text").textContent = messageOf(error);
  $("refusal-code").textContent = error instanceof CpsError ? error.code : "network";
  $("refusal").hidden = false;
}

async function lookUp(event) {
  event.preventDefault();
  if (underWay) return;
  clearResults();
  underWay = new AbortController();
  $("search").disabled = true;
  try {
    const nir = $("nir").value.replace(/\s/g, "");
    if (!/^\d{15}$/.test(nir)) throw new CpsError("nir_malformed");
    const response = await fetchWithCard(`/api/patients?nir=${nir}`, {
      ports: agentPorts(),
      language,
      signal: underWay.signal,
      onStage: (stage) => {
        $("progress-text").textContent = words.stages[stage];
        $("progress").hidden = false;
      },
    });
    const patient = await response.json();
    clearResults();
    showPatient(patient);
  } catch (error) {
    clearResults();
    if (error instanceof CpsError && error.code === "login_required") leave();
    else showRefusal(underWay.signal.aborted ? new CpsError("cancelled") : error);
  } finally {
    underWay = undefined;
    $("search").disabled = false;
    if (!$("refusal").hidden) $("nir").focus();
  }
}

async function start() {
  speak(language);
  $("language").addEventListener("click", () => {
    speak(language === "fr" ? "en" : "fr");
    if (!underWay) clearResults(); // they were told in the other language
  });
  $("login-form").addEventListener("submit", logIn);
  $("search-form").addEventListener("submit", lookUp);
  $("cancel").addEventListener("click", () => underWay?.abort());
  $("logout").addEventListener("click", async () => {
    await post("/api/logout", {});
    leave();
  });
  for (const example of document.querySelectorAll(".example"))
    example.addEventListener("click", () => {
      $("nir").value = example.textContent;
      $("nir").focus();
    });

  const response = await fetch("/api/me");
  if (response.ok) enter(await response.json());
  else leave();
}

start();
