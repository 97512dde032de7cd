#include "cps/token/card_token.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"
#include "cps/token/feature_list.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace cps::token {
namespace {

struct Row {
    Kind kind;
    std::string_view name, typ;
};
constexpr std::array rows{
    Row{Kind::login, "login", "cps-login+jwt"},
    Row{Kind::session, "session", "cps-session+jwt"},
    Row{Kind::request, "request", "cps-request+jwt"},
    Row{Kind::feature, "feature", "cps-feature+jwt"},
    Row{Kind::revoke, "revoke", "cps-revoke+jwt"},
};

constexpr const Row& row_of(Kind kind)
{
    return rows[static_cast<std::size_t>(kind)];
}
static_assert(row_of(Kind::login).kind == Kind::login &&
              row_of(Kind::session).kind == Kind::session &&
              row_of(Kind::request).kind == Kind::request &&
              row_of(Kind::feature).kind == Kind::feature &&
              row_of(Kind::revoke).kind == Kind::revoke);

/// `alg` of a card's key, which is always RSA.
std::string_view alg_of(crypto::SignatureAlgorithm algorithm)
{
    switch (algorithm) {
    case crypto::SignatureAlgorithm::rs256: return "RS256";
    case crypto::SignatureAlgorithm::ps256: return "PS256";
    case crypto::SignatureAlgorithm::es256: break;
    }
    throw Error{Errc::bad_argument, "no card signs with this algorithm"};
}

std::string encoded(const boost::json::object& object)
{
    return to_base64url(octets(boost::json::serialize(object)));
}

} // namespace

std::string_view typ_of(Kind kind) noexcept
{
    return row_of(kind).typ;
}

std::string_view name_of(Kind kind) noexcept
{
    return row_of(kind).name;
}

std::optional<Kind> kind_named(std::string_view name) noexcept
{
    for (const auto& row : rows)
        if (row.name == name)
            return row.kind;
    return std::nullopt;
}

std::string signing_input(const CardClaims& claims, crypto::SignatureAlgorithm algorithm,
                          ByteView certificate_der)
{
    if (claims.request ? claims.features.size() != 1
                       : claims.features != std::vector{Feature::login()})
        throw Error{Errc::bad_argument, "a request names one feature, a login only login"};
    if (claims.expires_at <= claims.issued_at ||
        claims.expires_at - claims.issued_at > max_login_lifetime)
        throw Error{Errc::bad_argument, "the token would live too long or not at all"};

    const auto kind = claims.request ? Kind::request : Kind::login;
    const boost::json::object header{
        {"alg", alg_of(algorithm)},
        {"typ", typ_of(kind)},
        {"x5c", boost::json::array{boost::json::value(to_base64(certificate_der))}},
    };
    boost::json::object payload{
        {"iss", claims.subject},
        {"sub", claims.subject},
        {"aud", claims.audience.str()},
        {"nonce", claims.nonce.str()},
        {"jti", claims.jti},
        {"iat", to_number(claims.issued_at)},
        {"exp", to_number(claims.expires_at)},
        {"auth_time", to_number(claims.auth_time)},
        {"amr", boost::json::array{"sc", "pin", "hwk", "mfa"}},
        {"feat", to_json_array(claims.features)},
    };
    if (claims.request) {
        payload["htm"] = claims.request->htm;
        payload["htu"] = claims.request->htu;
        payload["rid"] = claims.request->rid;
    }
    return encoded(header) + '.' + encoded(payload);
}

std::string compact(std::string_view input, ByteView signature)
{
    return std::string{input} + '.' + to_base64url(signature);
}

} // namespace cps::token
