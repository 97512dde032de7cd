#include "judgement.hpp"

#include "cps/base/encoding.hpp"
#include "cps/token/json.hpp"

#include <algorithm>
#include <utility>

namespace cps::ctl {
namespace {

/// The claims of a token that nobody has verified; empty where they cannot be read.
boost::json::object claims_said_by(std::string_view token)
{
    const auto first = token.find('.');
    const auto second = token.find('.', first + 1);
    if (first == token.npos || second == token.npos)
        return {};
    const auto octets = from_base64url(token.substr(first + 1, second - first - 1));
    if (!octets)
        return {};
    const std::string text{octets->begin(), octets->end()};
    const auto claims = token::parse_json(text, verify::max_token_size);
    return claims && claims->is_object() ? claims->get_object() : boost::json::object{};
}

verify::Expectation session_expected(unsigned limit)
{
    verify::Expectation expected;
    expected.kind = token::Kind::session;
    expected.limit = limit;
    return expected;
}

std::vector<token::Feature> features_of(const boost::json::object& claims)
{
    std::vector<token::Feature> features;
    if (const auto* const names = token::array_member(claims, "feat"))
        for (const auto& name : *names)
            if (auto feature =
                    name.is_string() ? token::Feature::parse(name.get_string()) : std::nullopt)
                features.push_back(*std::move(feature));
    return features;
}

} // namespace

std::optional<token::Nonce> nonce_said_by(std::string_view session_token)
{
    const auto claims = claims_said_by(session_token);
    const auto nonce = token::string_member(claims, "nonce");
    return nonce ? token::Nonce::parse(*nonce) : std::nullopt;
}

Judgement::Judgement(token::Origin audience, x509::TrustStore trust,
                     std::optional<long long> at, const std::filesystem::path& crl_dir)
    : clock_{at},
      crls_{trust.anchors(), clock_},
      revocation_{
          {.require = x509::RevocationPolicy::Require::crl}, {}, crls_, fetcher_, clock_},
      verifier_{{.audience = std::move(audience), .certificate_policies = {}},
                std::move(trust),
                store_,
                clock_,
                crl_dir.empty() ? nullptr : &revocation_}
{
    if (crl_dir.empty())
        return;
    for (const auto& offer : crls_.load(crl_dir))
        if (offer.outcome == x509::CrlStore::Offer::Outcome::refused)
            refused_.push_back(offer.name + ": " + std::string{x509::name_of(offer.why)});
}

verify::Verdict<verify::Accepted> Judgement::take_session(std::string_view token,
                                                          unsigned limit)
{
    const auto claims = claims_said_by(token);
    const auto nonce = nonce_said_by(token);
    const auto issued = token::integer_member(claims, "iat");
    const auto now = clock_.now();
    if (nonce && issued) {
        // A token from the future stays one; everything else is judged when it was made.
        clock_.set(std::min(now, epoch_seconds(*issued)));
        if (const auto kept = store_.remember(*nonce, {{}, features_of(claims), clock_.now()});
            !kept)
            return kept.error();
    }
    auto verdict = verifier_.verify(token, session_expected(limit));
    clock_.set(now);
    return verdict;
}

verify::Verdict<verify::Accepted> Judgement::judge(std::string_view token,
                                                   const verify::Expectation& expected)
{
    return verifier_.verify(token, expected);
}

verify::Verdict<verify::Accepted> Judgement::judge(std::string_view token,
                                                   const token::Nonce& nonce,
                                                   const verify::Expectation& expected)
{
    const bool has_feature = expected.feature.has_value();
    auto features =
        expected.kind == token::Kind::session
            ? features_of(claims_said_by(token))
            : std::vector{has_feature ? *expected.feature : token::Feature::login()};
    if (const auto kept = store_.remember(nonce, {expected.session, std::move(features),
                                                  clock_.now() - verify::nonce_lifetime});
        !kept)
        return kept.error();
    return judge(token, expected);
}

} // namespace cps::ctl
