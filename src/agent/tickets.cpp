#include "tickets.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/random.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

constexpr std::size_t secret_octets = 32;

} // namespace

std::string Tickets::keep(Secrets& secrets, std::size_t most, std::chrono::seconds life)
{
    const auto now = clock_.steady();
    for (auto& [digest, one] : secrets)
        if (!one.stream.expired())
            one.until = now + life;
    std::erase_if(secrets, [&](const auto& one) { return one.second.until <= now; });
    while (secrets.size() >= most)
        secrets.erase(std::ranges::min_element(
            secrets, {}, [](const auto& one) { return one.second.until; }));
    auto secret = to_base64url(crypto::random_bytes(secret_octets));
    secrets.emplace(crypto::sha256(octets(secret)), Life{now + life});
    return secret;
}

std::string Tickets::issue()
{
    return keep(tickets_, max_tickets, ticket_life);
}

std::optional<std::string> Tickets::redeem(std::string_view ticket)
{
    const auto found = tickets_.find(crypto::sha256(octets(ticket)));
    if (found == tickets_.end())
        return std::nullopt;
    const bool in_time = clock_.steady() < found->second.until;
    tickets_.erase(found);
    if (!in_time)
        return std::nullopt;
    return keep(keys_, max_keys, key_idle);
}

Tickets::Secrets::iterator Tickets::find(std::string_view key)
{
    const auto found = keys_.find(crypto::sha256(octets(key)));
    if (found == keys_.end())
        return found;
    if (found->second.until <= clock_.steady() && found->second.stream.expired()) {
        keys_.erase(found);
        return keys_.end();
    }
    found->second.until = clock_.steady() + key_idle;
    return found;
}

bool Tickets::admits(std::string_view key)
{
    return find(key) != keys_.end();
}

void Tickets::keep_while(std::string_view key, std::weak_ptr<const void> stream)
{
    if (const auto found = find(key); found != keys_.end())
        found->second.stream = std::move(stream);
}

} // namespace cps::agent
