// What node:crypto does not tell of a certificate, read from its DER (RFC 5280, 4.1).

const CONTEXT_3 = 0xa3;
const BOOLEAN = 0x01;

/** The elements side by side in `octets`: `{tag, content}` each. Throws on bad DER. */
function elements(octets) {
  const found = [];
  for (let at = 0; at < octets.length;) {
    const tag = octets[at];
    let size = octets[at + 1];
    let start = at + 2;
    if (size > 0x80) {
      const digits = size & 0x7f;
      size = octets.readUIntBE(start, digits);
      start += digits;
    }
    if (!(start + size <= octets.length)) throw new Error('DER runs past its end');
    found.push({ tag, content: octets.subarray(start, start + size) });
    at = start + size;
  }
  return found;
}

function dotted(content) {
  const arcs = [];
  let arc = 0;
  for (const octet of content) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const first = Math.min(Math.floor(arcs[0] / 40), 2);
  return [first, arcs[0] - 40 * first, ...arcs.slice(1)].join('.');
}

/** Extension values by dotted OID. */
function extensions(der) {
  const [certificate] = elements(der);
  const [toBeSigned] = elements(certificate.content);
  const holder = elements(toBeSigned.content).find(({ tag }) => tag === CONTEXT_3);
  const values = new Map();
  if (holder === undefined) return values;
  for (const { content } of elements(elements(holder.content)[0].content)) {
    const [oid, ...rest] = elements(content);
    const value = rest.find(({ tag }) => tag !== BOOLEAN);
    values.set(dotted(oid.content), value.content);
  }
  return values;
}

/** `{digitalSignature, policies, cardType, productCategory}`; null where it does not say. */
export function describe(der) {
  const values = extensions(der);
  const inner = (oid) => (values.has(oid) ? elements(values.get(oid))[0].content : null);

  const usage = inner('2.5.29.15'); // BIT STRING: unused bits, then the named bits
  const policies = inner('2.5.29.32');
  const cardType = inner('1.2.250.1.71.1.2.2');
  const category = inner('1.2.250.1.71.1.2.5');
  return {
    digitalSignature: usage !== null && (usage[1] & 0x80) !== 0,
    policies: policies === null
      ? []
      : elements(policies).map(({ content }) => dotted(elements(content)[0].content)),
    cardType: cardType === null ? null : cardType[0],
    productCategory: category === null ? null : category[0],
  };
}
