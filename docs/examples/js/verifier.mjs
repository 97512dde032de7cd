// A portal's verifier of all five kinds of token, written from docs/token-profile.md: jose for
// signatures, node:crypto for keys, the order of checks of the profile. What the portal keeps
// (nonces, sessions) is a Map here, for one process; the certificate's path and revocation are
// `believe`, a function of yours.
import { X509Certificate, createHash, createPublicKey } from 'node:crypto';
import { compactVerify } from 'jose';
import { fromBase64, fromBase64url, isObject, jsonObject } from './strict.mjs';

const LEEWAY = 5; // seconds between two clocks
const NONCE_LIFE = 120; // seconds
const SESSION_TOKEN_LIFE = 600; // seconds from the nonce
const WINDOW = 32; // how far out of order `seq` may come
const AMR = ['sc', 'pin', 'hwk', 'mfa'];
const FEATURE = /^[a-z0-9._-]{1,64}$/;
const CARD = ['alg', 'typ', 'x5c'];
const LOGIN = ['iss', 'sub', 'aud', 'nonce', 'jti', 'iat', 'exp', 'auth_time', 'amr', 'feat'];
const KINDS = { // header, claims, longest token, longest life
  login: { header: CARD, claims: LOGIN, size: 16384, life: 60 },
  session: { header: CARD, claims: [...LOGIN, 'cnf', 'lim'], size: 16384, life: 600 },
  request: { header: CARD, claims: [...LOGIN, 'htm', 'htu', 'rid'], size: 7900, life: 60 },
  feature: {
    header: ['alg', 'typ', 'kid'], size: 7900, life: 60,
    claims: ['aud', 'cth', 'iat', 'exp', 'jti', 'seq', 'feat', 'htm', 'htu', 'rid'],
  },
  revoke: { header: ['alg', 'typ', 'kid'], claims: ['aud', 'cth', 'jti'], size: 7900 },
};

export class Refused extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}
const demand = (holds, code) => {
  if (!holds) throw new Refused(code);
};
const isExactly = (object, must, may = []) =>
  must.every((name) => Object.hasOwn(object, name)) &&
  Object.keys(object).every((name) => must.includes(name) || may.includes(name));
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isText = (value) => typeof value === 'string';
const isRandom = (text, octets) => isText(text) && fromBase64url(text)?.length === octets;
const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);
export const hash = (text) => createHash('sha256').update(text).digest('base64url');
/** RFC 7638. */
export const thumbprint = ({ crv, kty, x, y }) => hash(JSON.stringify({ crv, kty, x, y }));

function isSessionKey(jwk) {
  if (!isObject(jwk) || !isExactly(jwk, ['kty', 'crv', 'x', 'y'])) return false;
  if (jwk.kty !== 'EC' || jwk.crv !== 'P-256') return false;
  if (!isRandom(jwk.x, 32) || !isRandom(jwk.y, 32)) return false;
  try {
    return createPublicKey({ key: jwk, format: 'jwk' }) !== null; // refuses a point off the curve
  } catch { return false; }
}

const hasBinding = (c) => isText(c.htm) && isText(c.htu) && isText(c.rid);
const isFeatures = (feat) => Array.isArray(feat) && feat.length > 0 &&
  new Set(feat).size === feat.length && feat.every((f) => isText(f) && FEATURE.test(f));

/** Are the claims a kind's, each of its type and form? */
function wellFormed(c, kind, freshNonce) {
  const claims = [...KINDS[kind].claims, ...(kind === 'feature' && freshNonce ? ['nonce'] : [])];
  if (!isExactly(c, claims, kind === 'session' ? ['prev'] : []) || !isText(c.aud) || !isRandom(c.jti, 16)) return false;
  if (kind === 'revoke') return isRandom(c.cth, 32);
  if (!isCount(c.iat) || !isCount(c.exp)) return false;
  if ('nonce' in c && !isRandom(c.nonce, 32)) return false;
  if (kind === 'feature')
    return isRandom(c.cth, 32) && isCount(c.seq) && c.seq > 0 && isText(c.feat) &&
      FEATURE.test(c.feat) && hasBinding(c);
  return isText(c.sub) && c.sub !== '' && c.iss === c.sub &&
    isCount(c.auth_time) && c.auth_time <= c.iat + LEEWAY && isSame(c.amr, AMR) && isFeatures(c.feat) &&
    (kind !== 'request' || (c.feat.length === 1 && hasBinding(c))) &&
    (kind !== 'session' || (isObject(c.cnf) && isExactly(c.cnf, ['jwk']) && isSessionKey(c.cnf.jwk) &&
      isCount(c.lim) && c.lim > 0 && (!('prev' in c) || isRandom(c.prev, 32))));
}

/** Step 1: what the token shows by itself. */
function read(token, kind, { audience, freshNonce = false }, now) {
  const rules = KINDS[kind];
  demand(token.length <= rules.size, 'too_long');
  const octets = token.split('.').map(fromBase64url);
  demand(octets.length === 3 && octets.every((part) => part !== null && part.length > 0), 'malformed');
  const header = jsonObject(octets[0]);
  const claims = jsonObject(octets[1]);
  demand(header !== null && claims !== null, 'malformed');
  if ('typ' in header) demand(header.typ === `cps-${kind}+jwt`, 'typ_refused');
  demand(isExactly(header, rules.header), 'header_refused');
  const algorithms = rules.header === CARD ? ['RS256', 'PS256'] : ['ES256'];
  demand(algorithms.includes(header.alg), 'alg_refused');
  if (rules.header === CARD)
    demand(Array.isArray(header.x5c) && header.x5c.length === 1 && isText(header.x5c[0]) &&
      fromBase64(header.x5c[0]) !== null, 'header_refused');
  else demand(isRandom(header.kid, 32), 'header_refused');
  demand(wellFormed(claims, kind, freshNonce), 'claims_refused');
  demand(claims.aud === audience, 'audience_mismatch');
  if (kind !== 'revoke') {
    demand(claims.exp > now - LEEWAY, 'token_expired');
    demand(claims.iat <= now + LEEWAY, 'token_not_yet_valid');
    demand(claims.exp > claims.iat && claims.exp - claims.iat <= rules.life, 'lifetime_refused');
  }
  return { header, claims };
}

/** Step 2: the nonce, burnt whatever follows. Returns when it was handed out. */
function burn({ nonce, iat }, { session, features }, nonces, now) {
  const record = nonces.get(nonce);
  nonces.delete(nonce);
  demand(record !== undefined, 'nonce_unknown');
  demand(record.session === session && features.every((f) => record.features.includes(f)), 'nonce_mismatch');
  demand(now - record.issued <= NONCE_LIFE, 'nonce_stale');
  demand(iat >= record.issued - LEEWAY, 'nonce_mismatch');
  return record.issued;
}

async function checkSignature(token, key, algorithm) {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
  } catch {
    throw new Refused('signature_invalid');
  }
}

/** Steps 1 to 3 of the kinds that the card signs. Returns `{id, claims, issued, certificate}`. */
async function cardSigned(token, kind, expected, portal) {
  const { header, claims } = read(token, kind, expected, portal.now);
  const features = kind === 'login' ? ['login'] : kind === 'request' ? [expected.feature] : claims.feat;
  const issued = burn(claims, { session: expected.session, features }, portal.nonces, portal.now);
  const der = fromBase64(header.x5c[0]);
  const key = portal.believe(der, portal.now); // the path to a pinned authority; throws Refused
  await checkSignature(token, key, header.alg);
  portal.checkRevocation?.(der, portal.now);
  const id = new X509Certificate(der).toLegacyObject().subject.CN; // a list where there are several
  demand(isText(id) && claims.sub === id, 'identity_mismatch');
  const { accountIds = [] } = expected;
  demand(accountIds.length === 0 || accountIds.includes(id), 'account_mismatch');
  if (kind !== 'session') demand(isSame(claims.feat, features), 'feature_refused');
  return { id, claims, issued, certificate: hash(der) };
}

const sameRequest = (claims, { htm, htu, rid }) =>
  demand(claims.htm === htm && claims.htu === htu && claims.rid === rid, 'request_mismatch');

export const verifyLogin = (token, expected, portal) => cardSigned(token, 'login', expected, portal);

/** One request, with the card's own signature. */
export async function verifyRequest(token, expected, portal) {
  const accepted = await cardSigned(token, 'request', expected, portal);
  sameRequest(accepted.claims, expected);
  return accepted;
}

/** Opens a session, or renews `open`. What it returns is what the portal keeps. */
export async function verifySession(token, expected, portal, open = null) {
  const { id, claims, issued, certificate } = await cardSigned(token, 'session', expected, portal);
  const jwk = claims.cnf.jwk;
  demand(!('prev' in claims) || open !== null, 'session_unknown');
  demand('prev' in claims || open?.kid !== thumbprint(jwk), 'replayed');
  if ('prev' in claims)
    demand(claims.prev === open.cth && id === open.id && certificate === open.certificate &&
      thumbprint(jwk) === open.kid, 'cth_mismatch');
  const end = Math.min(claims.exp, issued + SESSION_TOKEN_LIFE);
  const kept = 'prev' in claims ? open : { id, certificate, jwk, kid: thumbprint(jwk), highest: 0, window: 0, seen: new Set(), used: 0 };
  return Object.assign(kept, { cth: hash(token), features: claims.feat, limit: Math.min(claims.lim, expected.limit), end });
}

/** One request, under `session` as verifySession returned it. */
export async function verifyFeature(token, expected, portal, session) {
  const { header, claims } = read(token, 'feature', expected, portal.now);
  if (expected.freshNonce)
    burn(claims, { session: expected.session, features: [expected.feature] }, portal.nonces, portal.now);
  demand(session && header.kid === session.kid, 'session_unknown');
  demand(claims.cth === session.cth, 'cth_mismatch');
  demand(portal.now < session.end, 'session_ended');
  await checkSignature(token, createPublicKey({ key: session.jwk, format: 'jwk' }), 'ES256');
  demand(expected.mode !== 'card' && claims.feat === expected.feature &&
    session.features.includes(claims.feat), 'feature_refused');
  sameRequest(claims, expected);
  demand(!expected.accountIds?.length || expected.accountIds.includes(session.id), 'account_mismatch');
  demand(!session.seen.has(claims.jti), 'replayed');
  const ahead = claims.seq - session.highest; // RFC 4303, 3.4.3
  demand(ahead > 0 || (ahead > -WINDOW && !(session.window & (1 << -ahead))), 'sequence_refused');
  demand(claims.seq <= session.limit, 'limit_reached');
  expected.charge?.(); // your quota: throws Refused('quota_exceeded')
  session.window = ahead > 0 ? (ahead < WINDOW ? session.window << ahead : 0) | 1 : session.window | (1 << -ahead);
  session.highest = Math.max(session.highest, claims.seq);
  session.seen.add(claims.jti);
  return { id: session.id, claims };
}

/** Ends `session`. */
export async function verifyRevoke(token, expected, portal, session) {
  const { header, claims } = read(token, 'revoke', expected, portal.now);
  demand(session && header.kid === session.kid, 'session_unknown');
  demand(claims.cth === session.cth, 'cth_mismatch');
  await checkSignature(token, createPublicKey({ key: session.jwk, format: 'jwk' }), 'ES256');
  return { id: session.id, claims };
}
