#pragma once

#include "forge/token_forge.hpp"

#include "cps/base/encoding.hpp"

#include <boost/json/value.hpp>

#include <functional>

namespace cps::vectors {

namespace json = boost::json;
using forge::TokenDraft;

/// Spoils one thing of a token before it is signed.
using Spoil = std::function<void(TokenDraft&)>;

inline Spoil set_header(const char* name, json::value value)
{
    return [=](TokenDraft& draft) { draft.header[name] = value; };
}
inline Spoil set_claim(const char* name, json::value value)
{
    return [=](TokenDraft& draft) { draft.claims[name] = value; };
}
inline Spoil drop_claim(const char* name)
{
    return [=](TokenDraft& draft) { draft.claims.erase(name); };
}
/// Moves the whole life of the token, in seconds.
inline Spoil move_life(int seconds)
{
    return [=](TokenDraft& draft) {
        for (const auto* name : {"iat", "exp", "auth_time"})
            if (auto* time = draft.claims.if_contains(name))
                *time = time->as_int64() + seconds;
    };
}
inline json::string random_looking(std::uint8_t octet)
{
    return json::string{to_base64url(Bytes(32, octet))};
}

} // namespace cps::vectors
