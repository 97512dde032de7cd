<?php
// php peers.php FILE: verifies the tokens of FILE with PHP's own openssl_verify, keys decoded
// before: signature, `alg`, `typ`, `aud`, times, and nothing of nonce, certificate or session.
// A line in: the name of a batch; a line out: nanoseconds of processor time a token.
declare(strict_types=1);

require_once __DIR__ . '/../../../docs/examples/php/strict.php';

['origin' => $origin, 'now' => $now, 'logins' => $logins, 'features' => $features] =
    json_decode(file_get_contents($argv[1]), true, 8, JSON_THROW_ON_ERROR);
$batches = ['php_rs256' => [$logins, 'RS256', 'cps-login+jwt'], 'php_es256' => [$features, 'ES256', 'cps-feature+jwt']];
foreach ($batches as &$batch)
    foreach ($batch[0] as &$one) $one['key'] = openssl_pkey_get_public($one['key']);
unset($batch, $one);

function octets(string $text): string { return base64_decode(strtr($text, '-_', '+/'), true); }

function microseconds(): int
{
    $used = getrusage();
    return ($used['ru_utime.tv_sec'] + $used['ru_stime.tv_sec']) * 1_000_000 + $used['ru_utime.tv_usec'] + $used['ru_stime.tv_usec'];
}

echo "ready\n";
while (($name = fgets(STDIN)) !== false) {
    [$tokens, $alg, $typ] = $batches[trim($name)];
    $begun = microseconds();
    foreach ($tokens as ['token' => $token, 'key' => $key]) {
        [$head, $payload, $signature] = explode('.', $token);
        $header = json_decode(octets($head), true);
        $claims = json_decode(octets($payload), true);
        if ($header['alg'] !== $alg || $header['typ'] !== $typ || $claims['aud'] !== $origin || $claims['exp'] <= $now - 5
            || $claims['iat'] > $now + 5 || !is_signed("$head.$payload", octets($signature), $key, $alg)) exit(1);
    }
    echo (microseconds() - $begun) * 1000 / count($tokens), "\n";
}
