// Judges test vectors of class token, state and chain: node run.mjs FILE… prints a line each,
// `name verdict`. Revocation is not looked at; nor is the path, but for class chain.
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { believer } from './believe.mjs';
import * as verifier from './verifier.mjs';

const folder = mkdtempSync(`${tmpdir()}/cps-vectors-`);
process.on('exit', () => rmSync(folder, { recursive: true }));

function pinned(pem) {
  writeFileSync(`${folder}/trust.pem`, pem);
  return `${folder}/trust.pem`;
}

/** Counters in memory, for one hour and one day. */
function quotas() {
  const counts = new Map();
  return (account, quota) => () => {
    const count = counts.get(account) ?? 0;
    if (quota && count >= quota.per_hour) throw new verifier.Refused('quota_exceeded');
    counts.set(account, count + 1);
  };
}

async function judge(token, context, portal, state) {
  const expected = {
    audience: context.audience, session: context.session, feature: context.feature,
    mode: context.mode, htm: context.htm, htu: context.htu, rid: context.rid,
    accountIds: context.account_ids, limit: context.limit, freshNonce: context.fresh_nonce === true,
    charge: state.charge(context.account, context.quota),
  };
  const open = state.sessions.get(context.session) ?? null;
  switch (context.kind) {
    case 'login': return verifier.verifyLogin(token, expected, portal);
    case 'request': return verifier.verifyRequest(token, expected, portal);
    case 'session': {
      const session = await verifier.verifySession(token, expected, portal, open);
      return state.sessions.set(context.session, session);
    }
    case 'feature': return verifier.verifyFeature(token, expected, portal, open);
    case 'revoke':
      await verifier.verifyRevoke(token, expected, portal, open);
      return state.sessions.delete(context.session);
    default: throw new Error(`no kind ${context.kind}`);
  }
}

async function verdict({ class: kind, token, context, at }) {
  const nonces = new Map(Object.entries(context.nonces));
  if (context.store === 'down')
    nonces.get = () => { throw new verifier.Refused('store_unavailable'); };
  const believe = kind === 'chain' ? believer(pinned(context.trust), context.policies)
    : (der) => new X509Certificate(der).publicKey;
  const state = { sessions: new Map(), charge: quotas() };
  try {
    for (const earlier of context.before ?? [])
      await judge(earlier.token, earlier.context, { now: earlier.at, nonces, believe }, state);
    await judge(token, context, { now: at, nonces, believe }, state);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof verifier.Refused)) throw error;
    return error.code;
  }
}

for (const file of process.argv.slice(2)) {
  const vector = JSON.parse(readFileSync(file, 'utf8'));
  console.log(`${vector.name} ${await verdict(vector)}`);
}
