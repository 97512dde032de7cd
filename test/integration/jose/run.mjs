// Judges one case a line: {"token","context":{…},"at"} on standard input becomes
// {"verdict":"accepted"|code,"id"?} on standard output. `trust` in the context is a PEM file;
// `records` are the nonces that the portal remembers.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Refused, verify } from './verifier.mjs';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const trusted = new Map();

function trustOf(path) {
  if (!trusted.has(path))
    trusted.set(path, readFileSync(path, 'utf8').match(PEM).map((pem) => new X509Certificate(pem)));
  return trusted.get(path);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { token, context, at } = JSON.parse(line);
  const { trust, records, ...expected } = context;
  const portal = { trust: trustOf(trust), records: new Map(Object.entries(records)), at };
  try {
    const { id } = await verify(token, expected, portal);
    console.log(JSON.stringify({ verdict: 'accepted', id }));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log(JSON.stringify({ verdict: error.code }));
  }
}
