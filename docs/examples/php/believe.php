<?php
// Is this the certificate of a card that counts here? OpenSSL's own program validates the path
// (RFC 5280): dates, signatures, strong keys and digests, usage, policy. PHP's own function,
// openssl_x509_checkpurpose, looks at neither policies nor digests and knows today alone. Some
// milliseconds for each card: keep a verdict for an hour at most, by the certificate's SHA-256.
declare(strict_types=1);

require_once __DIR__ . '/verifier.php';

const CODES = [9 => 'cert_not_yet_valid', 10 => 'cert_expired', 26 => 'cert_usage', 43 => 'cert_policy', // X509_V_ERR_…
    66 => 'cert_weak', 67 => 'cert_weak', 68 => 'cert_weak'];
const CARD_TYPES = ["\x02\x01\x00", "\x02\x01\x02"]; // CPS, CPE
const PRODUCTS = ["\x04\x01\x00", "\x04\x01\x80", "\x04\x01\x82", "\x04\x01\x83"]; // a card, three kinds of test card

/** Pins the issuing authorities of a PEM file; one of the policies (OIDs) must be there. */
function believer(string $pinned, array $policies): Closure
{
    return function (string $der, int $now) use ($pinned, $policies): void {
        $options = ['-x509_strict', '-partial_chain', '-trusted', $pinned, '-no-CAfile', '-no-CApath', '-no-CAstore',
            '-purpose', 'sslclient', '-auth_level', '2', '-attime', (string) $now, '-explicit_policy'];
        foreach ($policies as $oid) array_push($options, '-policy', $oid);
        $openssl = proc_open(['openssl', 'verify', ...$options], [['pipe', 'r'], ['file', '/dev/null', 'w'], ['pipe', 'w']], $pipes);
        demand(is_resource($openssl), 'internal');
        fwrite($pipes[0], pem($der, 'CERTIFICATE'));
        fclose($pipes[0]);
        $said = stream_get_contents($pipes[2]);
        $error = preg_match('/^error (\d+) at/m', $said, $match) ? (int) $match[1] : 0;
        demand(proc_close($openssl) === 0, CODES[$error] ?? 'cert_untrusted');
        $extensions = openssl_x509_parse(pem($der, 'CERTIFICATE'))['extensions'];
        demand(!str_contains($extensions['basicConstraints'] ?? '', 'CA:TRUE'), 'cert_usage');
        demand(in_array($extensions['1.2.250.1.71.1.2.2'] ?? '', CARD_TYPES, true)
            && in_array($extensions['1.2.250.1.71.1.2.5'] ?? '', PRODUCTS, true), 'card_type_refused');
    };
}
