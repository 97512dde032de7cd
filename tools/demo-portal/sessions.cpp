#include "sessions.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/crypto/random.hpp"

#include <algorithm>

namespace cps::portal {
namespace {

constexpr std::size_t cookie_octets = 32;

std::string key_of(std::string_view cookie)
{
    return to_hex(crypto::sha256(octets(cookie)));
}

std::string random_name()
{
    return to_base64url(crypto::random_bytes(cookie_octets));
}

} // namespace

bool Sessions::has_ended(const Session& session) const
{
    const auto now = clock_.steady();
    return now - session.last_used > idle_limit || now - session.opened > age_limit;
}

void Sessions::drop_ended()
{
    std::erase_if(by_cookie_hash_, [&](const auto& entry) { return has_ended(entry.second); });
    if (by_cookie_hash_.size() < max_sessions)
        return;
    by_cookie_hash_.erase(std::ranges::min_element(
        by_cookie_hash_, {}, [](const auto& entry) { return entry.second.last_used; }));
}

std::string Sessions::open(std::string_view account)
{
    drop_ended();
    auto cookie = random_name();
    const auto now = clock_.steady();
    by_cookie_hash_.emplace(key_of(cookie),
                            Session{random_name(), std::string{account}, false, now, now});
    return cookie;
}

Session* Sessions::find(std::string_view cookie)
{
    const auto found = by_cookie_hash_.find(key_of(cookie));
    if (found == by_cookie_hash_.end())
        return nullptr;
    if (has_ended(found->second)) {
        by_cookie_hash_.erase(found);
        return nullptr;
    }
    found->second.last_used = clock_.steady();
    return &found->second;
}

std::optional<std::string> Sessions::rename(std::string_view cookie)
{
    auto entry = by_cookie_hash_.extract(key_of(cookie));
    if (entry.empty())
        return std::nullopt;
    auto fresh = random_name();
    entry.key() = key_of(fresh);
    by_cookie_hash_.insert(std::move(entry));
    return fresh;
}

void Sessions::close(std::string_view cookie)
{
    by_cookie_hash_.erase(key_of(cookie));
}

} // namespace cps::portal
