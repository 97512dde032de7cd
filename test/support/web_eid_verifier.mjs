// Verifies a Web eID authentication token as its specification says (web-eid:1.0), with node:crypto alone.
// Standard input: {"token":{…},"origin":"…","nonce":"…","trust":"PEM file"}; prints the verdict and the subject.
import { X509Certificate, createHash, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const given = JSON.parse(readFileSync(0, 'utf8'));

function verdict({ token, origin, nonce, trust }) {
  const members = ['algorithm', 'appVersion', 'format', 'signature', 'unverifiedCertificate'];
  if (JSON.stringify(Object.keys(token).sort()) !== JSON.stringify(members)) return 'members';
  if (!token.format.startsWith('web-eid:1.')) return 'format';
  if (token.algorithm !== 'RS256') return 'algorithm';
  const certificate = new X509Certificate(Buffer.from(token.unverifiedCertificate, 'base64'));
  const authorities = readFileSync(trust, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  const isIssuer = (pem) => {
    const authority = new X509Certificate(pem);
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  };
  if (!authorities.some(isIssuer)) return 'issuer';
  const hash = (text) => createHash('sha256').update(text, 'utf8').digest();
  const message = Buffer.concat([hash(origin), hash(nonce)]);
  const good = verify('sha256', message, certificate.publicKey, Buffer.from(token.signature, 'base64'));
  return good ? 'accepted' : 'signature';
}

console.log(verdict(given));
