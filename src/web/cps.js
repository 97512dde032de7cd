// Asks the person's cps-agent for card tokens, from a portal's page. No dependencies, no build step.
//
//   import { fetchWithCard } from "./cps.js";
//   const response = await fetchWithCard("/api/patients?nir=…", { onStage: (stage) => show(stage) });
//
// docs/http-api.md has the agent's interface, docs/token-profile.md what a token says.

/** Ports on which an agent may listen (docs/http-api.md). */
export const AGENT_PORTS = Object.freeze({ first: 27743, last: 27762 });

const HELLO_TIMEOUT = 1500; // ms a port: an agent answers at once, a stranger may never
const TOKEN_TIMEOUT = 150_000; // ms: the agent's dialogs end by themselves after 60 s each
const AGENT_HEADERS = { "CPS-Agent": "1", "Content-Type": "application/json" };

/**
 * @typedef {object} Challenge what a portal sends with its 401
 * @property {1} v
 * @property {string} nonce
 * @property {number} ts
 * @property {string[]} feat
 * @property {number} ttl
 */

/**
 * @typedef {object} Agent
 * @property {string} url `http://127.0.0.1:PORT`
 * @property {string} version
 */

/** @typedef {{readers: number, cards: number, card: "absent" | "present" | "unsupported" | "mute"}} CardStatus */

/**
 * @typedef {object} SessionEnd
 * @property {string} session its name
 * @property {string} end why: `card_removed`, `screen_locked`, … (docs/http-api.md)
 * @property {number} left feature tokens that it had not made
 */

/** @typedef {"asking" | "searching" | "card" | "checking"} Stage what is going on, for the page to show */

/** What went wrong, as a stable code: the agent's or the portal's, or one of ours: `agent_not_found`, `cancelled`. */
export class CpsError extends Error {
  /**
   * @param {string} code
   * @param {{status?: number, detail?: string, triesLeft?: number, from?: "agent" | "portal" | "page"}} [more]
   */
  constructor(code, { status = 0, detail = "", triesLeft, from = "page" } = {}) {
    super(detail || code);
    this.name = "CpsError";
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.triesLeft = triesLeft;
    this.from = from;
  }
}

/**
 * The error in an `application/problem+json` answer (RFC 9457).
 * @param {Response} response
 * @param {"agent" | "portal"} from
 */
export async function errorOf(response, from) {
  const body = await problemOf(response);
  return new CpsError(typeof body.code === "string" ? body.code : "internal", {
    status: response.status,
    detail: typeof body.detail === "string" ? body.detail : "",
    triesLeft: Number.isInteger(body.tries_left) ? body.tries_left : undefined,
    from,
  });
}

/** @param {Response} response @returns {Promise<Record<string, any>>} */
async function problemOf(response) {
  try {
    const body = await response.json();
    return body !== null && typeof body === "object" ? body : {};
  } catch {
    return {};
  }
}

/** @param {AbortSignal | undefined} signal @param {number} timeout ms */
function limited(signal, timeout) {
  const own = AbortSignal.timeout(timeout);
  if (!signal) return own;
  if (AbortSignal.any) return AbortSignal.any([signal, own]);
  const both = new AbortController();
  for (const one of [signal, own]) one.addEventListener("abort", () => both.abort(one.reason), { once: true });
  return both.signal;
}

/**
 * Finds the agent: the first port that answers as one. A port where nobody listens refuses at once. An agent that
 * does not know this page's origin cannot be told from none: it tells strangers nothing.
 * @param {{ports?: {first: number, last: number}, signal?: AbortSignal}} [options]
 * @returns {Promise<Agent>}
 * @throws {CpsError} agent_not_found, cancelled
 */
export async function findAgent({ ports = AGENT_PORTS, signal } = {}) {
  for (let port = ports.first; port <= ports.last; ++port) {
    if (signal?.aborted) throw new CpsError("cancelled");
    const url = `http://127.0.0.1:${port}`;
    try {
      const response = await fetch(`${url}/v1/hello`, {
        credentials: "omit",
        cache: "no-store",
        signal: limited(signal, HELLO_TIMEOUT),
      });
      const hello = response.ok ? await response.json() : {};
      if (hello.agent === "cps-agent" && hello.api === 1) return { url, version: String(hello.version ?? "") };
    } catch {
      // nobody there, somebody else, or an agent that does not know us
    }
  }
  throw new CpsError(signal?.aborted ? "cancelled" : "agent_not_found");
}

/** @param {Uint8Array} octets base64url without padding (RFC 7515, 2) */
function base64url(octets) {
  return btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * What binds a token to one request: `htm`, `htu` and `rid` = SHA-256(raw query ‖ LF ‖ body).
 * @param {string} method
 * @param {URL} url
 * @param {string} [body]
 */
export async function requestBinding(method, url, body = "") {
  const octets = new TextEncoder().encode(`${url.search.slice(1)}\n${body}`);
  const digest = await crypto.subtle.digest("SHA-256", octets);
  return { htm: method, htu: url.origin + url.pathname, rid: base64url(new Uint8Array(digest)) };
}

/**
 * Asks the agent for a token: a login token, or with a binding one for that request alone. The agent's own dialog
 * asks the person; this page never sees the PIN.
 * @param {Agent} agent
 * @param {Challenge} challenge
 * @param {{htm: string, htu: string, rid: string}} [binding]
 * @param {{language?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<string>}
 * @throws {CpsError} the agent's codes, agent_not_found, cancelled
 */
export async function requestToken(agent, challenge, binding, { language, signal } = {}) {
  const headers = { ...AGENT_HEADERS, ...(language ? { "Accept-Language": language } : {}) };
  let response;
  try {
    response = await fetch(`${agent.url}/v1/tokens`, {
      method: "POST",
      headers,
      body: JSON.stringify({ challenge, ...binding }),
      credentials: "omit",
      cache: "no-store",
      signal: limited(signal, TOKEN_TIMEOUT),
    });
  } catch {
    throw new CpsError(signal?.aborted ? "cancelled" : "agent_not_found");
  }
  if (!response.ok) throw await errorOf(response, "agent");
  return (await response.json()).token;
}

/**
 * Hears of the card and of the end of this origin's sessions as it happens. The browser connects anew by itself; each
 * time `onCard` is told how things are, while the end of a session in between is not told again. One a page is enough:
 * a browser has few connections to the agent.
 * @param {Agent} agent
 * @param {{onCard?: (card: CardStatus) => void, onSessionEnd?: (end: SessionEnd) => void,
 *          onConnection?: (open: boolean) => void}} told
 * @returns {() => void} ends it
 */
export function followAgent(agent, { onCard = () => {}, onSessionEnd = () => {}, onConnection = () => {} }) {
  const source = new EventSource(`${agent.url}/v1/events`);
  source.addEventListener("open", () => onConnection(true));
  source.addEventListener("error", () => onConnection(false));
  source.addEventListener("card", (event) => onCard(JSON.parse(event.data)));
  source.addEventListener("session", (event) => onSessionEnd(JSON.parse(event.data)));
  return () => source.close();
}

/**
 * `fetch` for a feature that may want the card: where the portal answers 401 with a challenge, the agent is asked for
 * a token bound to this very request, and the request is made once more with it.
 * @param {string} path of this page's own origin
 * @param {{method?: string, body?: string, headers?: Record<string, string>, ports?: {first: number, last: number},
 *          language?: string, signal?: AbortSignal, onStage?: (stage: Stage) => void}} [options]
 * @returns {Promise<Response>} a good answer
 * @throws {CpsError}
 */
export async function fetchWithCard(path, options = {}) {
  const { method = "GET", body, headers = {}, ports, language, signal, onStage = () => {} } = options;
  const url = new URL(path, location.href);
  const ask = (extra) =>
    fetch(url, {
      method,
      body,
      headers: { ...headers, ...(language ? { "Accept-Language": language } : {}), ...extra },
      cache: "no-store",
      signal,
    });

  onStage("asking");
  const closed = await ask({});
  if (closed.ok) return closed;
  if (closed.status !== 401) throw await errorOf(closed, "portal");
  const { challenge } = await problemOf(closed.clone());
  if (!challenge) throw await errorOf(closed, "portal");

  onStage("searching");
  const agent = await findAgent({ ports, signal });
  onStage("card");
  const token = await requestToken(agent, challenge, await requestBinding(method, url, body), { language, signal });
  onStage("checking");
  const response = await ask({ "CPS-Token": token });
  if (!response.ok) throw await errorOf(response, "portal");
  return response;
}
