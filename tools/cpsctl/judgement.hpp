#pragma once

#include "cps/base/fetcher.hpp"
#include "cps/verify/verifier.hpp"
#include "cps/x509/crl_store.hpp"
#include "cps/x509/revocation_checker.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cps::ctl {

/// The clock that the person sets with `--at`, or the machine's.
class ChosenClock final : public Clock {
public:
    explicit ChosenClock(std::optional<long long> at) noexcept : at_{at} {}
    EpochSeconds now() const override { return at_ ? epoch_seconds(*at_) : system_.now(); }
    std::chrono::steady_clock::time_point steady() const override { return system_.steady(); }
    void set(EpochSeconds at) noexcept { at_ = to_number(at); }

private:
    std::optional<long long> at_;
    SystemClock system_;
};

/// What a portal would have said of one token, for somebody who has the token, what it was made
/// for, and none of the portal's records.
class Judgement {
public:
    /// @param crl_dir folder of revocation lists; empty: revocation is not looked at.
    Judgement(token::Origin audience, x509::TrustStore trust, std::optional<long long> at,
              const std::filesystem::path& crl_dir);

    /// Takes a session token as the portal did when it came: at its own `iat`, for a nonce
    /// handed out just then. `limit`: the portal's own, or 0. A renewal needs what it renews
    /// before it.
    verify::Verdict<verify::Accepted> take_session(std::string_view token, unsigned limit);
    /// Of a token that stands on the session taken last.
    verify::Verdict<verify::Accepted> judge(std::string_view token,
                                            const verify::Expectation& expected);
    /// Of one that answers `nonce`, which counts as handed out as long ago as is allowed.
    verify::Verdict<verify::Accepted> judge(std::string_view token, const token::Nonce& nonce,
                                            const verify::Expectation& expected);
    /// Revocation lists that count for nothing: `name: why`, a line each.
    const std::vector<std::string>& refused_lists() const noexcept { return refused_; }

private:
    ChosenClock clock_;
    x509::CrlStore crls_;
    NoFetcher fetcher_;
    x509::RevocationChecker revocation_;
    verify::MemoryStore store_{clock_};
    verify::Verifier verifier_;
    std::vector<std::string> refused_;
};

/// The nonce that a session token says it answers; empty where it is none. Nothing is verified.
std::optional<token::Nonce> nonce_said_by(std::string_view session_token);

} // namespace cps::ctl
