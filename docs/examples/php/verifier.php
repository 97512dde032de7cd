<?php
// A portal's verifier of all five kinds of token, written from docs/token-profile.md: PHP's own
// openssl and json, no framework. What the portal keeps (nonces, sessions) is an array here, for
// one request; the certificate's path and revocation are `believe`, a function of yours.
declare(strict_types=1);

require_once __DIR__ . '/strict.php';

const LEEWAY = 5; // seconds between two clocks
const NONCE_LIFE = 120; // seconds
const SESSION_TOKEN_LIFE = 600; // seconds from the nonce
const WINDOW = 32; // how far out of order `seq` may come
const CARD_HEADER = ['alg', 'typ', 'x5c'];
const KEY_HEADER = ['alg', 'typ', 'kid'];
const LOGIN = ['iss', 'sub', 'aud', 'nonce', 'jti', 'iat', 'exp', 'auth_time', 'amr', 'feat'];
const BINDING = ['htm', 'htu', 'rid'];
const KINDS = [ // header, claims, longest token, longest life
    'login' => [CARD_HEADER, LOGIN, 16384, 60],
    'session' => [CARD_HEADER, [...LOGIN, 'cnf', 'lim'], 16384, 600],
    'request' => [CARD_HEADER, [...LOGIN, ...BINDING], 7900, 60],
    'feature' => [KEY_HEADER, ['aud', 'cth', 'iat', 'exp', 'jti', 'seq', 'feat', ...BINDING], 7900, 60],
    'revoke' => [KEY_HEADER, ['aud', 'cth', 'jti'], 7900, 0],
];
/** SubjectPublicKeyInfo of a P-256 point, up to its coordinates (RFC 5480). */
const P256 = '3059301306072a8648ce3d020106082a8648ce3d03010703420004';

final class Refused extends Exception {}

function demand(bool $holds, string $code): void { if (!$holds) throw new Refused($code); }
function is_exactly(array $object, array $must, array $may = []): bool
{
    $names = array_map(strval(...), array_keys($object));
    return !array_diff($must, $names) && !array_diff($names, $must, $may);
}
function is_random(mixed $text, int $octets): bool { $r = from_b64url($text); return $r !== null && strlen($r) === $octets; }
function is_count(mixed $value): bool { return is_int($value) && $value >= 0; }
function is_feature(mixed $text): bool { return is_string($text) && preg_match('/^[a-z0-9._-]{1,64}$/D', $text) === 1; }
function sha(string $text): string { return to_b64url(hash('sha256', $text, true)); }

function session_key(array $jwk): OpenSSLAsymmetricKey|false
{
    return @openssl_pkey_get_public(pem(hex2bin(P256) . from_b64url($jwk['x']) . from_b64url($jwk['y']), 'PUBLIC KEY'));
}
/** RFC 7638. */
function thumbprint(array $jwk): string
{
    return sha(json_encode(['crv' => $jwk['crv'], 'kty' => $jwk['kty'], 'x' => $jwk['x'], 'y' => $jwk['y']]));
}
function is_session_key(mixed $jwk): bool
{
    $jwk = $jwk instanceof stdClass ? get_object_vars($jwk) : [];
    return is_exactly($jwk, ['kty', 'crv', 'x', 'y']) && $jwk['kty'] === 'EC' && $jwk['crv'] === 'P-256'
        && is_random($jwk['x'], 32) && is_random($jwk['y'], 32) && session_key($jwk) !== false; // off the curve
}

/** Are the claims a kind's, each of its type and form? */
function well_formed(array $c, string $kind, bool $fresh_nonce): bool
{
    $must = [...KINDS[$kind][1], ...($kind === 'feature' && $fresh_nonce ? ['nonce'] : [])];
    if (!is_exactly($c, $must, $kind === 'session' ? ['prev'] : []) || !is_string($c['aud']) || !is_random($c['jti'], 16)) return false;
    if ($kind === 'revoke') return is_random($c['cth'], 32);
    if (!is_count($c['iat']) || !is_count($c['exp']) || (isset($c['nonce']) && !is_random($c['nonce'], 32))) return false;
    $bound = array_filter(BINDING, fn($name) => is_string($c[$name] ?? null)) === BINDING;
    if ($kind === 'feature')
        return is_random($c['cth'], 32) && is_count($c['seq']) && $c['seq'] > 0 && is_feature($c['feat']) && $bound;
    $feat = $c['feat'];
    if (!is_string($c['sub']) || $c['sub'] === '' || $c['iss'] !== $c['sub'] || !is_count($c['auth_time'])
        || $c['auth_time'] > $c['iat'] + LEEWAY || $c['amr'] !== ['sc', 'pin', 'hwk', 'mfa'] || !is_array($feat) || !$feat
        || array_filter($feat, is_feature(...)) !== $feat || array_unique($feat) !== $feat) return false;
    if ($kind === 'request') return count($feat) === 1 && $bound;
    if ($kind === 'login') return true;
    $cnf = $c['cnf'] instanceof stdClass ? get_object_vars($c['cnf']) : [];
    return is_exactly($cnf, ['jwk']) && is_session_key($cnf['jwk']) && is_count($c['lim']) && $c['lim'] > 0
        && (!array_key_exists('prev', $c) || is_random($c['prev'], 32));
}

/** Step 1: what the token shows by itself. Returns header, claims, what is signed, signature. */
function read_token(string $token, string $kind, array $expected, int $now): array
{
    [$keys, , $size, $life] = KINDS[$kind];
    demand(strlen($token) <= $size, 'too_long');
    $parts = explode('.', $token);
    demand(count($parts) === 3, 'malformed');
    $octets = array_map(from_b64url(...), $parts);
    foreach ($octets as $part) demand($part !== null && $part !== '', 'malformed');
    $header = json_object($octets[0]);
    $claims = json_object($octets[1]);
    demand($header !== null && $claims !== null, 'malformed');
    if (array_key_exists('typ', $header)) demand($header['typ'] === "cps-$kind+jwt", 'typ_refused');
    demand(is_exactly($header, $keys), 'header_refused');
    demand(in_array($header['alg'], $keys === CARD_HEADER ? ['RS256', 'PS256'] : ['ES256'], true), 'alg_refused');
    if ($keys === CARD_HEADER) {
        $chain = $header['x5c'];
        demand(is_array($chain) && count($chain) === 1 && is_string($chain[0]), 'header_refused');
        $header['der'] = base64_decode($chain[0], true);
        demand($header['der'] !== false && base64_encode($header['der']) === $chain[0], 'header_refused');
    } else demand(is_random($header['kid'], 32), 'header_refused');
    demand(well_formed($claims, $kind, !empty($expected['freshNonce'])), 'claims_refused');
    demand($claims['aud'] === $expected['audience'], 'audience_mismatch');
    if ($kind !== 'revoke') {
        demand($claims['exp'] > $now - LEEWAY, 'token_expired');
        demand($claims['iat'] <= $now + LEEWAY, 'token_not_yet_valid');
        demand($claims['exp'] > $claims['iat'] && $claims['exp'] - $claims['iat'] <= $life, 'lifetime_refused');
    }
    return [$header, $claims, "$parts[0].$parts[1]", $octets[2]];
}

/** Step 2: the nonce, burnt whatever follows. Returns when it was handed out. */
function burn(array $claims, string $session, array $features, array $portal): int
{
    $record = $portal['nonces'][$claims['nonce']] ?? null;
    unset($portal['nonces'][$claims['nonce']]); // an ArrayObject: gone for every caller
    demand($record !== null, 'nonce_unknown');
    demand($record['session'] === $session && !array_diff($features, $record['features']), 'nonce_mismatch');
    demand($portal['now'] - $record['issued'] <= NONCE_LIFE, 'nonce_stale');
    demand($claims['iat'] >= $record['issued'] - LEEWAY, 'nonce_mismatch');
    return $record['issued'];
}

/** Steps 1 to 3 of the kinds that the card signs. */
function card_signed(string $token, string $kind, array $expected, array $portal): array
{
    [$header, $claims, $input, $signature] = read_token($token, $kind, $expected, $portal['now']);
    $features = match ($kind) { 'login' => ['login'], 'request' => [$expected['feature']], default => $claims['feat'] };
    $issued = burn($claims, $expected['session'], $features, $portal);
    $portal['believe']($header['der'], $portal['now']); // the path to a pinned authority; throws Refused
    $certificate = openssl_x509_read(pem($header['der'], 'CERTIFICATE'));
    demand(is_signed($input, $signature, openssl_pkey_get_public($certificate), $header['alg']), 'signature_invalid');
    if (isset($portal['revocation'])) $portal['revocation']($header['der'], $portal['now']);
    $id = openssl_x509_parse($certificate)['subject']['CN'] ?? null; // a list where there are several
    demand(is_string($id) && $claims['sub'] === $id, 'identity_mismatch');
    $ids = $expected['accountIds'] ?? [];
    demand(!$ids || in_array($id, $ids, true), 'account_mismatch');
    if ($kind !== 'session') demand($claims['feat'] === $features, 'feature_refused');
    return ['id' => $id, 'claims' => $claims, 'issued' => $issued, 'certificate' => sha($header['der'])];
}
function same_request(array $claims, array $expected): void
{ foreach (BINDING as $name) demand($claims[$name] === $expected[$name], 'request_mismatch'); }

function verify_login(string $token, array $expected, array $portal): array { return card_signed($token, 'login', $expected, $portal); }

/** One request, with the card's own signature. */
function verify_request(string $token, array $expected, array $portal): array
{
    $accepted = card_signed($token, 'request', $expected, $portal);
    same_request($accepted['claims'], $expected);
    return $accepted;
}

/** Opens a session, or renews `$open`. What it returns is what the portal keeps. */
function verify_session(string $token, array $expected, array $portal, ?array $open = null): array
{
    $accepted = card_signed($token, 'session', $expected, $portal);
    $claims = $accepted['claims'];
    $jwk = get_object_vars($claims['cnf']->jwk);
    $renews = isset($claims['prev']);
    if ($renews) demand($open !== null, 'session_unknown');
    else demand(($open['kid'] ?? '') !== thumbprint($jwk), 'replayed');
    if ($renews) demand($claims['prev'] === $open['cth'] && $accepted['id'] === $open['id']
        && $accepted['certificate'] === $open['certificate'] && thumbprint($jwk) === $open['kid'], 'cth_mismatch');
    return ['cth' => sha($token), 'features' => $claims['feat'], 'limit' => min($claims['lim'], $expected['limit']),
        'end' => min($claims['exp'], $accepted['issued'] + SESSION_TOKEN_LIFE)] + ($renews ? $open : ['id' => $accepted['id'],
        'certificate' => $accepted['certificate'], 'jwk' => $jwk, 'kid' => thumbprint($jwk), 'highest' => 0, 'window' => 0, 'seen' => []]);
}

/** One request, under `$session` as verify_session returned it. */
function verify_feature(string $token, array $expected, array $portal, ?array &$session): array
{
    [$header, $claims, $input, $signature] = read_token($token, 'feature', $expected, $portal['now']);
    if ($expected['freshNonce'] ?? false) burn($claims, $expected['session'], [$expected['feature']], $portal);
    demand($session !== null && $header['kid'] === $session['kid'], 'session_unknown');
    demand($claims['cth'] === $session['cth'], 'cth_mismatch');
    demand($portal['now'] < $session['end'], 'session_ended');
    demand(is_signed($input, $signature, session_key($session['jwk']), 'ES256'), 'signature_invalid');
    demand(($expected['mode'] ?? 'session') !== 'card' && $claims['feat'] === $expected['feature']
        && in_array($claims['feat'], $session['features'], true), 'feature_refused');
    same_request($claims, $expected);
    demand(empty($expected['accountIds']) || in_array($session['id'], $expected['accountIds'], true), 'account_mismatch');
    demand(!isset($session['seen'][$claims['jti']]), 'replayed');
    $ahead = $claims['seq'] - $session['highest']; // RFC 4303, 3.4.3
    demand($ahead > 0 || ($ahead > -WINDOW && !($session['window'] & (1 << -$ahead))), 'sequence_refused');
    demand($claims['seq'] <= $session['limit'], 'limit_reached');
    if (isset($expected['charge'])) $expected['charge'](); // your quota: throws Refused('quota_exceeded')
    $session['window'] = $ahead > 0 ? ((($ahead < WINDOW ? $session['window'] << $ahead : 0) | 1) & 0xffffffff)
        : $session['window'] | (1 << -$ahead);
    $session['highest'] = max($session['highest'], $claims['seq']);
    $session['seen'][$claims['jti']] = true;
    return ['id' => $session['id'], 'claims' => $claims];
}

/** Ends `$session`. */
function verify_revoke(string $token, array $expected, array $portal, ?array $session): array
{
    [$header, $claims, $input, $signature] = read_token($token, 'revoke', $expected, $portal['now']);
    demand($session !== null && $header['kid'] === $session['kid'], 'session_unknown');
    demand($claims['cth'] === $session['cth'], 'cth_mismatch');
    demand(is_signed($input, $signature, session_key($session['jwk']), 'ES256'), 'signature_invalid');
    return ['id' => $session['id'], 'claims' => $claims];
}
