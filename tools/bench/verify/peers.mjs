// node peers.mjs FILE: verifies the tokens of FILE with two JWT libraries, keys decoded before:
// signature, `alg`, `aud`, times, and with jose `typ`; nothing of nonce, certificate or
// session. A line in: the name of a batch; a line out: nanoseconds of processor time a token.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { jwtVerify } from 'jose';
import jwt from 'jsonwebtoken';

const { origin, now, logins, features } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const one of [...logins, ...features]) one.key = createPublicKey(one.key);

const jose = (tokens, alg, typ) => async () => {
  const options = { algorithms: [alg], typ, audience: origin, currentDate: new Date(now * 1000), clockTolerance: 5 };
  for (const { token, key } of tokens) await jwtVerify(token, key, options);
  return tokens.length;
};
const jsonwebtoken = (tokens, alg) => async () => {
  const options = { algorithms: [alg], audience: origin, clockTimestamp: now, clockTolerance: 5 };
  for (const { token, key } of tokens) jwt.verify(token, key, options);
  return tokens.length;
};
const batches = {
  jose_rs256: jose(logins, 'RS256', 'cps-login+jwt'),
  jose_es256: jose(features, 'ES256', 'cps-feature+jwt'),
  jsonwebtoken_rs256: jsonwebtoken(logins, 'RS256'),
  jsonwebtoken_es256: jsonwebtoken(features, 'ES256'),
};

console.log('ready');
for await (const name of createInterface({ input: process.stdin })) {
  const begun = process.cpuUsage();
  const count = await batches[name]();
  const { user, system } = process.cpuUsage(begun);
  console.log(((user + system) * 1000) / count);
}
