// A portal's verifier of login and request tokens, written from docs/token-profile.md alone:
// jose for the signature, node:crypto for the certificate, the order of the profile.
import { X509Certificate } from 'node:crypto';
import { compactVerify } from 'jose';
import { describe } from './certificate.mjs';
import { fromBase64, fromBase64url, jsonObject } from './strict.mjs';

const LEEWAY = 5; // seconds between two clocks
const LIFETIME = 60; // seconds of a login or request token
const NONCE_LIFETIME = 120; // seconds
const MAX_SIZE = { 'cps-login+jwt': 16 * 1024, 'cps-request+jwt': 7900 }; // octets

const HEADER = ['alg', 'typ', 'x5c'];
const LOGIN = ['iss', 'sub', 'aud', 'nonce', 'jti', 'iat', 'exp', 'auth_time', 'amr', 'feat'];
const CLAIMS = {
  'cps-login+jwt': LOGIN,
  'cps-request+jwt': [...LOGIN, 'htm', 'htu', 'rid'],
};
const AMR = ['sc', 'pin', 'hwk', 'mfa'];
const FEATURE = /^[a-z0-9._-]{1,64}$/;
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const CARD_TYPES = [0, 2]; // CPS, CPE
const CATEGORIES = [0x00, 0x80, 0x82, 0x83]; // a card, test cards

export class Refused extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

function demand(holds, code) {
  if (!holds) throw new Refused(code);
}

const isExactly = (object, names) =>
  Object.keys(object).length === names.length && names.every((name) => Object.hasOwn(object, name));
const isTime = (value) => Number.isSafeInteger(value) && value >= 0;
const isRandom = (text, octets) =>
  typeof text === 'string' && fromBase64url(text)?.length === octets;
const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function readHeader(header, typ) {
  if ('typ' in header) demand(header.typ === typ, 'typ_refused');
  demand(isExactly(header, HEADER), 'header_refused');
  demand(header.alg === 'RS256' || header.alg === 'PS256', 'alg_refused');
  const { x5c } = header;
  demand(Array.isArray(x5c) && x5c.length === 1 && typeof x5c[0] === 'string', 'header_refused');
  const der = fromBase64(x5c[0]);
  demand(der !== null, 'header_refused');
  return der;
}

function checkClaims(claims, typ) {
  const well = isExactly(claims, CLAIMS[typ]) &&
    typeof claims.sub === 'string' && claims.sub !== '' && claims.iss === claims.sub &&
    typeof claims.aud === 'string' &&
    isRandom(claims.nonce, 32) && isRandom(claims.jti, 16) &&
    isTime(claims.iat) && isTime(claims.exp) &&
    isTime(claims.auth_time) && claims.auth_time <= claims.iat + LEEWAY &&
    isSame(claims.amr, AMR) &&
    Array.isArray(claims.feat) && claims.feat.length > 0 &&
    new Set(claims.feat).size === claims.feat.length &&
    claims.feat.every((f) => typeof f === 'string' && FEATURE.test(f));
  demand(well, 'claims_refused');
  if (typ === 'cps-request+jwt')
    demand(claims.feat.length === 1 &&
      [claims.htm, claims.htu, claims.rid].every((v) => typeof v === 'string'), 'claims_refused');
}

/** RSA, 2048 to 4096 bits, e = 65537. */
function isStrong(leaf) {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = leaf.publicKey;
    return type === 'rsa' && details.modulusLength >= 2048 && details.modulusLength <= 4096 &&
      details.publicExponent === 65537n;
  } catch {
    return false; // a key that cannot be decoded
  }
}

function checkCertificate(der, trust, at, policies) {
  let leaf;
  let said;
  try {
    leaf = new X509Certificate(der);
    said = describe(der);
  } catch {
    throw new Refused('cert_untrusted');
  }
  demand(leaf.raw.equals(der), 'cert_untrusted'); // nothing after it
  demand(isStrong(leaf), 'cert_weak');
  demand(trust.some((ca) => ca.ca && leaf.checkIssued(ca) && leaf.verify(ca.publicKey)),
    'cert_untrusted');
  demand(Date.parse(leaf.validTo) >= at * 1000, 'cert_expired');
  demand(Date.parse(leaf.validFrom) <= at * 1000, 'cert_not_yet_valid');
  demand(!leaf.ca && said.digitalSignature && leaf.keyUsage?.includes(CLIENT_AUTH), 'cert_usage');
  demand(policies.length === 0 || policies.some((p) => said.policies.includes(p)), 'cert_policy');
  demand(CARD_TYPES.includes(said.cardType) && CATEGORIES.includes(said.productCategory),
    'card_type_refused');
  return leaf;
}

/**
 * Throws Refused with the stable code, or returns `{id, claims}`.
 * `records` is a Map from nonce to `{session, feat, issued}`; the nonce is taken out of it.
 * `expected` is `{kind, origin, session, feature, htm, htu, rid, accountIds, policies}`.
 */
export async function verify(token, expected, { trust, records, at }) {
  const typ = `cps-${expected.kind}+jwt`;
  demand(typ in CLAIMS, 'typ_refused');

  // 1. What the token shows by itself.
  demand(token.length <= MAX_SIZE[typ], 'too_long');
  const parts = token.split('.');
  demand(parts.length === 3, 'malformed');
  const octets = parts.map(fromBase64url);
  demand(octets.every((part) => part !== null && part.length > 0), 'malformed');
  const header = jsonObject(octets[0]);
  const claims = jsonObject(octets[1]);
  demand(header !== null && claims !== null, 'malformed');
  const der = readHeader(header, typ);
  checkClaims(claims, typ);
  demand(claims.aud === expected.origin, 'audience_mismatch');
  demand(claims.exp > at - LEEWAY, 'token_expired');
  demand(claims.iat <= at + LEEWAY, 'token_not_yet_valid');
  demand(claims.exp > claims.iat && claims.exp - claims.iat <= LIFETIME, 'lifetime_refused');

  // 2. The nonce, burnt whatever follows.
  const feature = expected.kind === 'request' ? expected.feature : 'login';
  const record = records.get(claims.nonce);
  records.delete(claims.nonce);
  demand(record !== undefined, 'nonce_unknown');
  demand(record.session === expected.session && record.feat.includes(feature), 'nonce_mismatch');
  demand(at - record.issued <= NONCE_LIFETIME, 'nonce_stale');
  demand(claims.iat >= record.issued - LEEWAY, 'nonce_mismatch');

  // 3. The certificate, its key's signature, its holder.
  const leaf = checkCertificate(der, trust, at, expected.policies ?? []);
  const id = leaf.toLegacyObject().subject.CN; // a list where there are several
  demand(typeof id === 'string', 'identity_mismatch');
  try {
    await compactVerify(token, leaf.publicKey, { algorithms: [header.alg] });
  } catch {
    throw new Refused('signature_invalid');
  }
  demand(claims.sub === id, 'identity_mismatch');
  const { accountIds = [] } = expected;
  demand(accountIds.length === 0 || accountIds.includes(id), 'account_mismatch');

  // 4. This feature, this request.
  demand(isSame(claims.feat, [feature]), 'feature_refused');
  if (expected.kind === 'request')
    demand(['htm', 'htu', 'rid'].every((name) => claims[name] === expected[name]),
      'request_mismatch');
  return { id, claims };
}
