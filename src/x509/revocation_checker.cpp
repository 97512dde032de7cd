#include "cps/x509/revocation_checker.hpp"

#include <algorithm>

namespace cps::x509 {
namespace {

using Require = RevocationPolicy::Require;

RevocationDoubt doubt_of(const Error& error) noexcept
{
    switch (error.code()) {
    case Errc::too_large: return RevocationDoubt::too_large;
    case Errc::malformed_input: return RevocationDoubt::not_an_answer;
    default: return RevocationDoubt::unreachable;
    }
}

} // namespace

RevocationChecker::RevocationChecker(RevocationPolicy policy, RevocationSources sources,
                                     CrlStore& crls, Fetcher& fetcher, const Clock& clock)
    : policy_{policy},
      sources_{std::move(sources)},
      crls_{crls},
      fetcher_{fetcher},
      clock_{clock}
{
}

RevocationVerdict RevocationChecker::check(const Certificate& certificate, ByteView staple)
{
    if (policy_.require == Require::none)
        return check(certificate, certificate, staple); // nobody asks for the issuer
    const auto* issuer = crls_.issuer_of(certificate);
    if (issuer == nullptr)
        return RevocationVerdict::unknown(RevocationDoubt::wrong_issuer);
    return check(certificate, *issuer, staple);
}

RevocationVerdict RevocationChecker::check(const Certificate& certificate,
                                           const Certificate& issuer, ByteView staple)
{
    auto verdict = policy_.require == Require::none
                       ? RevocationVerdict::good(clock_.now() + max_verdict_life)
                       : judge(certificate, issuer, staple);
    if (verdict.is_good())
        verdict.good_until = std::min(verdict.good_until, certificate.not_after());
    return verdict;
}

RevocationVerdict RevocationChecker::judge(const Certificate& certificate,
                                           const Certificate& issuer, ByteView staple)
{
    const auto listed = crls_.check(certificate, issuer, policy_);
    if (listed.is_revoked())
        return listed;
    auto answered = RevocationVerdict::unknown(RevocationDoubt::no_source);
    if (!staple.empty())
        answered = by_staple(certificate, issuer, staple);
    if (!answered.is_revoked())
        if (const auto before = known(certificate, false); before && before->is_revoked())
            answered = *before;
    if (answered.is_revoked() || policy_.require == Require::crl)
        return answered.is_revoked() ? answered : listed;

    if (policy_.require == Require::either && listed.is_good())
        return listed;
    if (answered.is_good())
        return answered;
    const auto fetched = by_responder(certificate, issuer);
    if (!fetched.is_unknown() || fetched.why != RevocationDoubt::no_source)
        return fetched;
    // Nobody could be asked: what was wrong with what is here tells more.
    if (answered.why != RevocationDoubt::no_source || policy_.require == Require::ocsp)
        return answered;
    return listed;
}

RevocationVerdict RevocationChecker::by_staple(const Certificate& certificate,
                                               const Certificate& issuer, ByteView staple)
{
    const auto now = clock_.now();
    const auto answer = read_ocsp(staple, {certificate, issuer}, now);
    if (!answer)
        return RevocationVerdict::unknown(answer.error());
    const auto word = weigh(*answer, now, false);
    if (word.is_unknown())
        return word;
    return remember(certificate, *answer)
               ? word
               : known(certificate, false)
                     .value_or(RevocationVerdict::unknown(RevocationDoubt::rolled_back));
}

RevocationVerdict RevocationChecker::by_responder(const Certificate& certificate,
                                                  const Certificate& issuer)
{
    if (const auto before = known(certificate, false))
        return *before;
    auto verdict = RevocationVerdict::unknown(
        sources_.ocsp_urls.empty() ? RevocationDoubt::no_source : RevocationDoubt::unreachable);
    for (const auto& url : sources_.ocsp_urls) {
        if (!may_ask(url))
            continue;
        verdict = ask(url, certificate, issuer);
        if (!verdict.is_unknown() || verdict.why == RevocationDoubt::not_known)
            return verdict;
    }
    if (policy_.when_down == RevocationPolicy::WhenDown::soft)
        if (const auto last = known(certificate, true))
            return *last;
    return verdict;
}

RevocationVerdict RevocationChecker::ask(const std::string& url, const Certificate& certificate,
                                         const Certificate& issuer)
{
    const auto request = OcspRequest::about(certificate, issuer, sources_.issuer_hash);
    const auto octets = fetcher_.fetch({.url = url,
                                        .content_type = "application/ocsp-request",
                                        .body = request.der(),
                                        .max_size = max_ocsp_response,
                                        .deadline = ocsp_fetch_deadline});
    if (!octets) {
        note_failure(url);
        return RevocationVerdict::unknown(doubt_of(octets.error()));
    }
    const auto now = clock_.now();
    const auto answer = read_ocsp(
        *octets, {certificate, issuer, request.nonce(), sources_.ocsp_nonce_required}, now);
    if (!answer) {
        note_failure(url);
        return RevocationVerdict::unknown(answer.error());
    }
    const auto word = weigh(*answer, now, false);
    if (!word.is_unknown() && !remember(certificate, *answer))
        return RevocationVerdict::unknown(RevocationDoubt::rolled_back);
    return word;
}

RevocationVerdict RevocationChecker::weigh(const OcspAnswer& answer, EpochSeconds now,
                                           bool last_word) const
{
    // Without nocheck, the responder's own certificate is asked after (RFC 6960, 4.2.2.2.1).
    if (answer.responder_to_check &&
        !crls_.check(*answer.responder_to_check, policy_).is_good())
        return RevocationVerdict::unknown(RevocationDoubt::bad_signature);
    switch (answer.status) {
    case Status::revoked: return RevocationVerdict::revoked(answer.revoked_at, answer.reason);
    case Status::unknown: return RevocationVerdict::unknown(RevocationDoubt::not_known);
    case Status::good: break;
    }
    const auto until = last_word ? answer.this_update + policy_.max_ocsp_age
                                 : answer.good_until(policy_.max_ocsp_age);
    if (now > until)
        return RevocationVerdict::unknown(RevocationDoubt::stale);
    return RevocationVerdict::good(std::min(until, now + max_verdict_life));
}

std::optional<RevocationVerdict> RevocationChecker::known(const Certificate& certificate,
                                                          bool last_word)
{
    std::optional<Known> found;
    {
        const std::scoped_lock lock{mutex_};
        if (const auto entry = known_.find(certificate.sha256()); entry != known_.end())
            found = entry->second;
    }
    const auto now = clock_.now();
    if (!found || (!last_word && now > found->fresh_until))
        return std::nullopt;
    auto word = weigh(found->answer, now, last_word);
    if (word.is_unknown())
        return std::nullopt;
    if (word.is_good() && !last_word)
        word.good_until = std::min(word.good_until, found->fresh_until);
    return word;
}

bool RevocationChecker::remember(const Certificate& certificate, const OcspAnswer& answer)
{
    const auto now = clock_.now();
    const auto useless = [&](const auto& each) {
        return each.second.answer.this_update + policy_.max_ocsp_age < now;
    };
    const std::scoped_lock lock{mutex_};
    if (known_.size() >= max_cached_ocsp)
        std::erase_if(known_, useless);
    const auto found = known_.find(certificate.sha256());
    if (found == known_.end() && known_.size() >= max_cached_ocsp)
        return true;
    if (found != known_.end() && answer.status != Status::revoked) {
        const auto& present = found->second.answer;
        if (present.status == Status::revoked && present.this_update >= answer.this_update)
            return false;
        if (present.this_update > answer.this_update)
            return true;
    }
    known_.insert_or_assign(certificate.sha256(),
                            Known{answer, std::min(answer.good_until(policy_.max_ocsp_age),
                                                   now + max_verdict_life)});
    return true;
}

bool RevocationChecker::may_ask(const std::string& url)
{
    const std::scoped_lock lock{mutex_};
    const auto failed = failed_.find(url);
    return failed == failed_.end() || clock_.steady() - failed->second >= ocsp_retry_delay;
}

void RevocationChecker::note_failure(const std::string& url)
{
    const std::scoped_lock lock{mutex_};
    failed_.insert_or_assign(url, clock_.steady());
}

std::vector<CrlStore::Offer> RevocationChecker::refresh_crls()
{
    return crls_.refresh(fetcher_, sources_.crl_urls);
}

void RevocationChecker::clear()
{
    const std::scoped_lock lock{mutex_};
    known_.clear();
    failed_.clear();
}

} // namespace cps::x509
