#pragma once

#include "portals.hpp"

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/token/values.hpp"

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace cps::agent {

/// That the person completed the full dialog of one portal for one set of features.
struct Consent {
    token::Origin origin;
    std::vector<token::Feature> features; ///< in ascending order
    std::string words; ///< base64url SHA-256 of what the dialog said of portal and features
    EpochSeconds given;
};

/// What the person agreed to before, so that the same dialog needs fewer words. It takes the
/// place of no gesture: the PIN is typed all the same. A consent ends after `life`, and when
/// the portal's file says other words, another mode or another limit than were agreed to; an
/// origin that is not registered has none. Thread-safe.
class Consents {
public:
    static constexpr std::size_t capacity = 256;         // consents; the oldest goes first
    static constexpr std::size_t max_file = 1024 * 1024; // octets: 256 with 32 features each

    /// Reads `file`; empty: nothing outlives the agent. A file that cannot be understood is
    /// told and set aside under another name; one that cannot be read is left as it is.
    Consents(std::filesystem::path file, std::chrono::days life, const Clock& clock);

    bool covers(const Portal& portal, const std::vector<token::Feature>& features) const;
    /// The person has just completed the full dialog.
    void given(const Portal& portal, const std::vector<token::Feature>& features);

    /// How many there were. Errors: internal, where the file keeps them.
    Result<std::size_t> revoke(const token::Origin& origin);
    Result<std::size_t> revoke_all();

    /// Those that have not ended, the oldest first.
    std::vector<Consent> all() const;
    std::chrono::days life() const noexcept { return life_; }

private:
    bool is_alive(const Consent& consent) const;
    void read();
    void set_aside() const;
    Result<void> write() const;
    Result<std::size_t> remove(const token::Origin* origin);

    const std::filesystem::path file_;
    const std::chrono::days life_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::vector<Consent> consents_; ///< in the order in which they were given
    bool file_is_ours_ = true;      ///< false: it is there and cannot be read
};

} // namespace cps::agent
