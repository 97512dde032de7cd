#include "answers.hpp"
#include "patients.hpp"
#include "portal.hpp"

#include "cps/crypto/random.hpp"
#include "cps/token/challenge.hpp"

#include <boost/json/parse.hpp>

namespace cps::portal {
namespace {

constexpr std::string_view route_name = "patients";
constexpr std::chrono::seconds challenge_life{60}; // a request token's longest life
/// RFC 9470, 3: what is missing is a fresh proof by the card, for this very request.
constexpr const char* step_up = "Bearer error=\"insufficient_user_authentication\", "
                                "acr_values=\"cps-card\", max_age=\"0\"";

token::Feature infopatient()
{
    return token::Feature::parse("infopatient.read").value();
}

/// 401: another try may go well, here is a fresh challenge. 403: it will not.
unsigned status_of(verify::Refusal why) noexcept
{
    switch (why) {
    case verify::Refusal::nonce_unknown:
    case verify::Refusal::nonce_stale:
    case verify::Refusal::token_expired: return 401;
    case verify::Refusal::limit_reached:
    case verify::Refusal::quota_exceeded: return 429;
    case verify::Refusal::store_unavailable: return 503;
    case verify::Refusal::malformed:
    case verify::Refusal::too_long:
    case verify::Refusal::header_refused:
    case verify::Refusal::alg_refused:
    case verify::Refusal::typ_refused:
    case verify::Refusal::claims_refused:
    case verify::Refusal::nonce_mismatch:
    case verify::Refusal::audience_mismatch:
    case verify::Refusal::token_not_yet_valid:
    case verify::Refusal::lifetime_refused:
    case verify::Refusal::cert_untrusted:
    case verify::Refusal::cert_expired:
    case verify::Refusal::cert_not_yet_valid:
    case verify::Refusal::cert_usage:
    case verify::Refusal::cert_policy:
    case verify::Refusal::cert_weak:
    case verify::Refusal::cert_revoked:
    case verify::Refusal::revocation_unknown:
    case verify::Refusal::card_type_refused:
    case verify::Refusal::identity_mismatch:
    case verify::Refusal::account_mismatch:
    case verify::Refusal::signature_invalid:
    case verify::Refusal::feature_refused:
    case verify::Refusal::session_unknown:
    case verify::Refusal::session_ended:
    case verify::Refusal::cth_mismatch:
    case verify::Refusal::request_mismatch:
    case verify::Refusal::replayed:
    case verify::Refusal::sequence_refused: return 403;
    }
    return 403;
}

} // namespace

/// A new challenge bound to the session, as `challenge` in the body, or why there is none.
http::Response Portal::challenged(const Call& call, std::string_view code)
{
    const token::Challenge made{token::Nonce::from_bytes(crypto::random_bytes(32)),
                                clock_.now(),
                                {infopatient()},
                                challenge_life};
    const auto kept =
        nonces_.remember(made.nonce, {call.session->id, made.features, made.issued});
    if (!kept)
        return refused(call, kept.error());

    audit(route_name, call.session->account, code);
    const boost::json::object more{{"challenge", boost::json::parse(made.to_json())}};
    auto response = code == row_of(Problem::card_required).code
                        ? problem(Problem::card_required, call.language, more)
                        : refusal(401, code, call.language, more);
    response.fields.emplace_back("WWW-Authenticate", step_up);
    return response;
}

http::Response Portal::refused(const Call& call, verify::Refusal why)
{
    const auto status = status_of(why);
    if (status == 401)
        return challenged(call, verify::code_of(why));
    audit(route_name, call.session->account, verify::code_of(why));
    auto response = refusal(status, verify::code_of(why), call.language);
    if (status == 429)
        response.fields.emplace_back("Retry-After",
                                     std::to_string(verify::nonce_lifetime.count()));
    return response;
}

/// The restricted feature. A session opened with the password alone gets a challenge; what
/// opens the door is a token that the account's own card has signed for this very request.
http::Response Portal::look_up_patient(const Call& call)
{
    const auto* account =
        call.session == nullptr ? nullptr : accounts_.find(call.session->account);
    if (account == nullptr) {
        audit(route_name, {}, "login_required");
        return problem(Problem::login_required, call.language);
    }
    const auto nir = nir_of_query(call.request.query());
    if (!nir)
        return problem(Problem::bad_request, call.language);
    if (call.request.count("CPS-Token") == 0)
        return challenged(call, row_of(Problem::card_required).code);

    verify::Expectation expected;
    expected.kind = token::Kind::request;
    expected.session = call.session->id;
    expected.feature = infopatient();
    expected.request = token::RequestBinding::parse(
        origin_, call.request.method, origin_.str() + std::string{call.request.path()},
        token::request_id(octets(call.request.query()), octets(call.request.body)));
    expected.account_ids = account->card_ids;
    const auto verdict = verifier_.verify(
        call.request.field("CPS-Token").value_or(std::string_view{}), expected);
    if (!verdict)
        return refused(call, verdict.error());
    return show_patient(call, *nir);
}

http::Response Portal::show_patient(const Call& call, std::string_view nir)
{
    const auto record = patient(nir);
    auto response =
        record ? json(200, *record) : problem(Problem::patient_unknown, call.language);
    if (!call.session->card_seen) { // trust rises: the cookie from before is worth nothing now
        call.session->card_seen = true;
        if (const auto fresh = sessions_.rename(call.cookie))
            response.fields.push_back(cookie_.set(*fresh));
    }
    audit(route_name, call.session->account, record ? "accepted" : "patient_unknown");
    return response;
}

} // namespace cps::portal
