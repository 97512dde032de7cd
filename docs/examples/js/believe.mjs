// Is this the certificate of a card that counts here? OpenSSL's own program validates the path
// (RFC 5280), since node:crypto has no function for it: dates, signatures, strong keys and
// digests, usage, policy. Some milliseconds for each card: keep a verdict for an hour at most,
// by the certificate's SHA-256.
import { X509Certificate } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { Refused } from './verifier.mjs';

const CODES = { 9: 'cert_not_yet_valid', 10: 'cert_expired', 26: 'cert_usage', 43: 'cert_policy', // X509_V_ERR_…
  66: 'cert_weak', 67: 'cert_weak', 68: 'cert_weak' };
const CARD_TYPES = ['020100', '020102']; // CPS, CPE, in DER
const PRODUCTS = ['040100', '040180', '040182', '040183']; // a card, three kinds of test card

const openssl = (args, input) => spawnSync('openssl', args, { input, timeout: 5000, encoding: 'utf8' });

/** @param pinned file of the issuing authorities, PEM. @param policies OIDs, one of which must be there. */
export const believer = (pinned, policies) => (der, now) => {
  let certificate;
  try {
    certificate = new X509Certificate(der);
  } catch { throw new Refused('cert_untrusted'); }
  const { status, stderr } = openssl(['verify', '-x509_strict', '-partial_chain', '-trusted', pinned,
    '-no-CAfile', '-no-CApath', '-no-CAstore', '-purpose', 'sslclient', '-auth_level', '2', '-attime', `${now}`,
    '-explicit_policy', ...policies.flatMap((oid) => ['-policy', oid])], certificate.toString());
  if (status !== 0) throw new Refused(CODES[/^error (\d+) at/m.exec(stderr)?.[1]] ?? 'cert_untrusted');
  const { stdout } = openssl(['asn1parse', '-inform', 'DER'], der);
  const extension = (name) => stdout.split(`:${name}\n`)[1]?.match(/\[HEX DUMP\]:(\w+)/)?.[1];
  if (extension('X509v3 Basic Constraints')?.includes('0101FF')) throw new Refused('cert_usage'); // a CA
  if (!CARD_TYPES.includes(extension('1.2.250.1.71.1.2.2')) || !PRODUCTS.includes(extension('1.2.250.1.71.1.2.5')))
    throw new Refused('card_type_refused');
  return certificate.publicKey;
};
