<?php
// Judges test vectors of class token, state and chain: php run.php FILE… prints a line each,
// `name verdict`. Revocation is not looked at; nor is the path, but for class chain.
declare(strict_types=1);

require_once __DIR__ . '/believe.php';

$folder = sys_get_temp_dir() . '/cps-vectors-' . getmypid();
mkdir($folder, 0700);
register_shutdown_function(function () use ($folder): void {
    array_map(unlink(...), glob("$folder/*"));
    rmdir($folder);
});

function pinned(string $pem, string $folder): string
{
    file_put_contents("$folder/trust.pem", $pem);
    return "$folder/trust.pem";
}

function judge(string $token, array $context, array $portal, array &$state): void
{
    $expected = ['audience' => $context['audience'], 'session' => $context['session'],
        'feature' => $context['feature'] ?? null, 'mode' => $context['mode'] ?? null,
        'htm' => $context['htm'] ?? null, 'htu' => $context['htu'] ?? null, 'rid' => $context['rid'] ?? null,
        'accountIds' => $context['account_ids'], 'limit' => $context['limit'] ?? PHP_INT_MAX,
        'freshNonce' => $context['fresh_nonce'] ?? false,
        'charge' => function () use ($context, &$state): void {
            $count = &$state['counts'][$context['account'] ?? ''];
            demand(!isset($context['quota']) || $count < $context['quota']['per_hour'], 'quota_exceeded');
            ++$count;
        }];
    $name = $context['session'];
    $open = $state['sessions'][$name] ?? null;
    switch ($context['kind']) {
        case 'login': verify_login($token, $expected, $portal); break;
        case 'request': verify_request($token, $expected, $portal); break;
        case 'session': $state['sessions'][$name] = verify_session($token, $expected, $portal, $open); break;
        case 'feature':
            verify_feature($token, $expected, $portal, $open);
            $state['sessions'][$name] = $open;
            break;
        case 'revoke':
            verify_revoke($token, $expected, $portal, $open);
            unset($state['sessions'][$name]);
            break;
    }
}

/** Records that cannot be asked. */
final class LostRecords extends ArrayObject
{
    public function offsetExists(mixed $key): bool { throw new Refused('store_unavailable'); }
}

function verdict(array $vector, string $folder): string
{
    $context = $vector['context'];
    $nonces = ($context['store'] ?? '') === 'down' ? new LostRecords() : new ArrayObject($context['nonces']);
    $state = ['sessions' => [], 'counts' => []];
    $believe = $vector['class'] === 'chain' ? believer(pinned($context['trust'], $folder), $context['policies']) : fn() => null;
    $portal = fn(int $now): array => ['now' => $now, 'nonces' => $nonces, 'believe' => $believe];
    try {
        foreach ($context['before'] ?? [] as $earlier)
            judge($earlier['token'], $earlier['context'], $portal($earlier['at']), $state);
        judge($vector['token'], $context, $portal($vector['at']), $state);
        return 'accepted';
    } catch (Refused $refused) {
        return $refused->getMessage();
    }
}

foreach (array_slice($argv, 1) as $file) {
    $vector = json_decode(file_get_contents($file), true, 32, JSON_THROW_ON_ERROR);
    echo $vector['name'], ' ', verdict($vector, $folder), "\n";
}
