<?php
// One spelling for each value (strict base64url, strict JSON), and the two signatures that PHP's
// openssl_verify does not take as they stand in a JWS.
declare(strict_types=1);

function to_b64url(string $octets): string { return rtrim(strtr(base64_encode($octets), '+/', '-_'), '='); }

/** Without padding, with zero trailing bits; else null. */
function from_b64url(mixed $text): ?string
{
    if (!is_string($text) || !preg_match('/^[A-Za-z0-9_-]*$/D', $text)) return null;
    $octets = base64_decode(strtr($text, '-_', '+/'), true);
    return $octets !== false && to_b64url($octets) === $text ? $octets : null;
}

/** A JSON object without a member named twice, or null. */
function json_object(string $text): ?array
{
    $value = json_decode($text, false, 32);
    if (!$value instanceof stdClass) return null;
    $open = []; // a string before a colon is a member's name
    preg_match_all('/"(?:[^"\\\\]|\\\\.)*+"(?:\s*:)?|[{}[\]]/su', $text, $lexemes);
    foreach ($lexemes[0] as $lexeme) {
        if ($lexeme === '{' || $lexeme === '[') $open[] = [];
        elseif ($lexeme === '}' || $lexeme === ']') array_pop($open);
        elseif (str_ends_with($lexeme, ':')) {
            $name = '.' . json_decode(rtrim($lexeme, ": \t\r\n"));
            if (isset($open[count($open) - 1][$name])) return null;
            $open[count($open) - 1][$name] = true;
        }
    }
    return get_object_vars($value);
}

function pem(string $der, string $label): string { return "-----BEGIN $label-----\n" . chunk_split(base64_encode($der), 64, "\n") . "-----END $label-----\n"; }

/** EMSA-PSS-VERIFY with SHA-256, MGF1 and a salt of 32 octets (RFC 8017, 9.1.2): PHP's openssl_verify has no PSS. */
function verify_pss(string $message, string $signature, OpenSSLAsymmetricKey $key): bool
{
    $bits = openssl_pkey_get_details($key)['bits'] - 1;
    if (!openssl_public_decrypt($signature, $encoded, $key, OPENSSL_NO_PADDING)) return false;
    $encoded = substr($encoded, -intdiv($bits + 7, 8));
    $masked = substr($encoded, 0, -33);
    $digest = substr($encoded, -33, 32);
    for ($mask = '', $i = 0; strlen($mask) < strlen($masked); ++$i) $mask .= hash('sha256', $digest . pack('N', $i), true);
    $top = chr(0xff >> (8 * strlen($encoded) - $bits));
    $block = $masked ^ substr($mask, 0, strlen($masked));
    $block[0] = $block[0] & $top;
    $salt = substr($block, -32);
    return ($masked[0] & ~$top) === "\0" && $encoded[-1] === "\xbc" && $block === str_repeat("\0", strlen($block) - 33) . "\x01$salt"
        && hash_equals($digest, hash('sha256', str_repeat("\0", 8) . hash('sha256', $message, true) . $salt, true));
}

/** RS256, PS256 or ES256 (RFC 7518). */
function is_signed(string $input, string $signature, OpenSSLAsymmetricKey $key, string $alg): bool
{
    if ($alg === 'PS256') return verify_pss($input, $signature, $key);
    if ($alg === 'ES256') { // r ‖ s becomes a DER sequence
        if (strlen($signature) !== 64) return false;
        $parts = array_map(function (string $n): string {
            $n = ltrim($n, "\0");
            $n = $n === '' || ord($n[0]) > 127 ? "\0$n" : $n;
            return "\x02" . chr(strlen($n)) . $n;
        }, str_split($signature, 32));
        $signature = "\x30" . chr(strlen(implode($parts))) . implode($parts);
    }
    return openssl_verify($input, $signature, $key, OPENSSL_ALGO_SHA256) === 1;
}
