// One spelling for each value: strict base64 and strict JSON.

/** Octets of base64url without padding and with zero trailing bits, or null. */
export function fromBase64url(text) {
  const octets = Buffer.from(text, 'base64url');
  return octets.toString('base64url') === text ? octets : null;
}

/** Octets of standard base64 with padding, or null. */
export function fromBase64(text) {
  const octets = Buffer.from(text, 'base64');
  return octets.toString('base64') === text ? octets : null;
}

export const isObject = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** The object that UTF-8 octets spell without a member named twice, or null. */
export function jsonObject(octets) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
    const value = JSON.parse(text);
    return isObject(value) && namesAreUnique(text) ? value : null;
  } catch {
    return null;
  }
}

/** Of text that JSON.parse accepts: a string before a colon is a member's name. */
function namesAreUnique(text) {
  const open = [];
  for (const [lexeme] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/gsu)) {
    if (lexeme === '{' || lexeme === '[') open.push(new Set());
    else if (lexeme === '}' || lexeme === ']') open.pop();
    else if (lexeme.endsWith(':')) {
      const name = JSON.parse(lexeme.slice(0, -1));
      if (open.at(-1).has(name)) return false;
      open.at(-1).add(name);
    }
  }
  return true;
}
