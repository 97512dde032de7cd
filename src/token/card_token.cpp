#include "cps/token/card_token.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/token/feature_list.hpp"
#include "cps/token/jwk.hpp"

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

bool features_fit(Kind kind, const std::vector<Feature>& features)
{
    switch (kind) {
    case Kind::login: return features == std::vector{Feature::login()};
    case Kind::request: return features.size() == 1;
    case Kind::session: return !features.empty() && features.size() <= max_features;
    case Kind::feature:
    case Kind::revoke: break;
    }
    return false;
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

Kind kind_of(const CardClaims& claims)
{
    if (claims.request && claims.session)
        throw Error{Errc::bad_argument, "a request token opens no session"};
    return claims.request ? Kind::request : claims.session ? Kind::session : Kind::login;
}

std::string token_hash(std::string_view session_token)
{
    return to_base64url(crypto::sha256(octets(session_token)));
}

std::string signing_input(const CardClaims& claims, crypto::SignatureAlgorithm algorithm,
                          ByteView certificate_der)
{
    const auto kind = kind_of(claims);
    if (!features_fit(kind, claims.features))
        throw Error{Errc::bad_argument, "a request names one feature, a login only login"};
    if (claims.session && claims.session->limit == 0)
        throw Error{Errc::bad_argument, "a session without a single feature token"};
    const auto longest = kind == Kind::session ? max_session_lifetime : max_login_lifetime;
    if (claims.expires_at <= claims.issued_at || claims.expires_at - claims.issued_at > longest)
        throw Error{Errc::bad_argument, "the token would live too long or not at all"};

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
    if (claims.session) {
        payload["cnf"] = boost::json::object{{"jwk", to_jwk(claims.session->key)}};
        payload["lim"] = claims.session->limit;
        if (claims.session->previous)
            payload["prev"] = *claims.session->previous;
    }
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
