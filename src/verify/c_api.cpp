#include "cps/cps.h"

#include "cps/base/encoding.hpp"
#include "cps/crypto/random.hpp"
#include "cps/token/challenge.hpp"
#include "cps/verify/verifier.hpp"
#include "cps/x509/crl_store.hpp"
#include "cps/x509/revocation_checker.hpp"

#include <boost/json/serialize.hpp>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

using namespace cps;

namespace {

constexpr std::chrono::seconds challenge_ttl{600}; // the longest that a session token may live

template <class T>
T given(std::optional<T> value)
{
    if (!value)
        throw Error{Errc::bad_argument, "an argument is not well formed"};
    return *std::move(value);
}

const char* text(const char* argument)
{
    return argument != nullptr ? argument : "";
}

std::vector<std::string> list(const char* const* items, std::size_t count)
{
    std::vector<std::string> texts;
    for (std::size_t i = 0; i != count; ++i)
        texts.emplace_back(text(items[i]));
    return texts;
}

token::Feature feature(const char* name)
{
    return given(token::Feature::parse(text(name)));
}

x509::TrustStore trust_of(const char* pem)
{
    auto trust = x509::TrustStore::from_pem(text(pem));
    if (!trust)
        throw trust.error();
    return *std::move(trust);
}

char* copy_of_text(std::string_view source)
{
    auto* const copy = static_cast<char*>(std::malloc(source.size() + 1)); // NOLINT: C frees it
    if (copy == nullptr)
        return nullptr;
    std::memcpy(copy, source.data(), source.size());
    copy[source.size()] = '\0';
    return copy;
}

/// What went wrong in the caller's words: its arguments, or us.
const char* code_of(const Error& error)
{
    const bool theirs =
        error.code() == Errc::bad_argument || error.code() == Errc::malformed_input;
    return theirs ? "bad_argument" : "internal";
}

/// The one place where exceptions end.
template <std::invocable Call>
auto guarded(Call&& call, std::invoke_result_t<Call> otherwise) noexcept
{
    try {
        return call();
    } catch (...) {
        return otherwise;
    }
}

// A configuration without `crl_dir` would be silent about revocation: every header has it.
constexpr std::size_t least_config = offsetof(cps_config, crl_dir) + sizeof(const char*);

/// A structure of the caller's own size, which may be an older header's: what that does not
/// know is zero. A longer one may ask for what we do not know.
/// @param least what every header has; without it, who is let in would not be decided.
template <class Sized>
Sized whole(const Sized& given, std::size_t least)
{
    if (given.size < least || given.size > sizeof given || given.size % alignof(Sized) != 0)
        throw Error{Errc::bad_argument, "a structure of another version"};
    Sized copy{};
    std::memcpy(&copy, &given, given.size);
    return copy;
}

verify::Expectation expectation_of(const cps_expectation& caller)
{
    const auto wanted = whole(caller, offsetof(cps_expectation, account));
    verify::Expectation expected;
    expected.kind = given(token::kind_named(text(wanted.kind)));
    expected.session = text(wanted.session);
    expected.account_ids = list(wanted.account_ids, wanted.account_id_count);
    if (expected.kind == token::Kind::request || expected.kind == token::Kind::feature) {
        expected.feature = feature(wanted.feature);
        if (wanted.htm == nullptr || wanted.htu == nullptr || wanted.rid == nullptr)
            throw Error{Errc::bad_argument, "a request without htm, htu or rid"};
        expected.request = token::RequestBinding{wanted.htm, wanted.htu, wanted.rid};
    }
    expected.limit = wanted.limit;
    expected.card_only = wanted.card_only != 0;
    expected.fresh_nonce = wanted.fresh_nonce != 0;
    expected.account = text(wanted.account);
    expected.quota = {wanted.per_hour, wanted.per_day};
    return expected;
}

} // namespace

struct cps_verifier {
    explicit cps_verifier(const cps_config& config)
        : trust{trust_of(config.trust_pem)},
          crl_dir{config.crl_dir != nullptr ? config.crl_dir : ""},
          crls{trust.anchors(), clock},
          revocation{
              {.require = x509::RevocationPolicy::Require::crl}, {}, crls, fetcher, clock},
          verifier{{.audience = given(token::Origin::parse(text(config.audience))),
                    .certificate_policies = list(config.policies, config.policy_count)},
                   trust,
                   store,
                   clock,
                   crl_dir.empty() ? nullptr : &revocation}
    {
        load();
    }
    void load()
    {
        if (!crl_dir.empty())
            (void)crls.load(crl_dir);
    }

    SystemClock clock;
    x509::TrustStore trust;
    std::filesystem::path crl_dir;
    x509::CrlStore crls;
    NoFetcher fetcher; // lists come from the folder alone
    x509::RevocationChecker revocation;
    verify::MemoryStore store{clock};
    verify::Verifier verifier;
};

struct cps_answer {
    const char* code = "internal";
    std::string holder_id, surname, given_names, profession, certificate, claims, kid;
    unsigned left = 0;
    std::int64_t ends = 0;
    bool accepted = false;
};

namespace {

void take(cps_answer& answer, const verify::Accepted& accepted)
{
    answer.accepted = true;
    answer.code = "accepted";
    answer.holder_id = accepted.holder.id;
    answer.surname = accepted.holder.surname;
    answer.given_names = accepted.holder.given_names;
    if (accepted.holder.profession)
        answer.profession = accepted.holder.profession->code;
    answer.certificate = to_lower_hex(accepted.certificate_sha256);
    answer.claims = boost::json::serialize(accepted.claims);
    if (accepted.session) {
        answer.kid = accepted.session->kid;
        answer.left = accepted.session->left;
        answer.ends = to_number(accepted.session->ends);
    }
}

} // namespace

cps_verifier* cps_verifier_new(const cps_config* config, const char** error)
{
    const char* unused = nullptr;
    const char*& told = error != nullptr ? *error : unused;
    told = nullptr;
    try {
        if (config == nullptr)
            throw Error{Errc::bad_argument, "no configuration"};
        return new cps_verifier{whole(*config, least_config)}; // NOLINT: C frees it
    } catch (const Error& e) {
        told = code_of(e);
    } catch (...) {
        told = "internal";
    }
    return nullptr;
}

void cps_verifier_free(cps_verifier* verifier)
{
    delete verifier; // NOLINT: made by cps_verifier_new
}

void cps_reload(cps_verifier* verifier)
{
    guarded(
        [&] {
            verifier->load();
            verifier->revocation.clear();
            verifier->verifier.forget();
            return true;
        },
        false);
}

char* cps_challenge(cps_verifier* verifier, const char* session, const char* const* features,
                    size_t feature_count)
{
    return guarded(
        [&]() -> char* {
            token::Challenge challenge{
                token::Nonce::from_bytes(crypto::random_bytes(token::Nonce::octets)),
                verifier->clock.now(),
                {},
                challenge_ttl};
            for (std::size_t i = 0; i != feature_count; ++i)
                challenge.features.push_back(feature(features[i]));
            const auto json = challenge.to_json();
            if (!token::Challenge::parse(json) ||
                !verifier->store.remember(
                    challenge.nonce, {text(session), challenge.features, challenge.issued}))
                return nullptr;
            return copy_of_text(json);
        },
        nullptr);
}

void cps_text_free(char* text)
{
    std::free(text); // NOLINT: made by copy_of_text
}

char* cps_rid(const void* query, size_t query_size, const void* body, size_t body_size)
{
    return guarded(
        [&] {
            const ByteView query_octets{static_cast<const std::uint8_t*>(query), query_size};
            const ByteView body_octets{static_cast<const std::uint8_t*>(body), body_size};
            return copy_of_text(token::request_id(query_octets, body_octets));
        },
        nullptr);
}

cps_answer* cps_verify(cps_verifier* verifier, const char* token, size_t token_size,
                       const cps_expectation* expectation)
{
    return guarded(
        [&]() -> cps_answer* {
            auto answer = std::make_unique<cps_answer>();
            try {
                if (expectation == nullptr || (token == nullptr && token_size != 0))
                    throw Error{Errc::bad_argument, "nothing to judge"};
                const auto verdict = verifier->verifier.verify({text(token), token_size},
                                                               expectation_of(*expectation));
                if (verdict)
                    take(*answer, *verdict);
                else
                    answer->code = verify::code_of(verdict.error()).data();
            } catch (const Error& e) {
                answer->code = code_of(e);
            }
            return answer.release();
        },
        nullptr);
}

void cps_answer_free(cps_answer* answer)
{
    delete answer; // NOLINT: made by cps_verify
}

int cps_answer_accepted(const cps_answer* answer)
{
    return answer->accepted ? 1 : 0;
}
const char* cps_answer_code(const cps_answer* answer)
{
    return answer->code;
}
const char* cps_answer_holder_id(const cps_answer* answer)
{
    return answer->holder_id.c_str();
}
const char* cps_answer_surname(const cps_answer* answer)
{
    return answer->surname.c_str();
}
const char* cps_answer_given_names(const cps_answer* answer)
{
    return answer->given_names.c_str();
}
const char* cps_answer_profession(const cps_answer* answer)
{
    return answer->profession.c_str();
}
const char* cps_answer_certificate_sha256(const cps_answer* answer)
{
    return answer->certificate.c_str();
}
const char* cps_answer_claims(const cps_answer* answer)
{
    return answer->claims.c_str();
}
const char* cps_answer_session_kid(const cps_answer* answer)
{
    return answer->kid.c_str();
}
unsigned cps_answer_session_left(const cps_answer* answer)
{
    return answer->left;
}
int64_t cps_answer_session_ends(const cps_answer* answer)
{
    return answer->ends;
}
