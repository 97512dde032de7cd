#pragma once

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/crypto/public_key.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cps::agent {

/// What a line of the journal tells. Each has a row in journal_line.cpp with the name that is
/// written and the words that people read.
enum class Event {
    token,          ///< a login or request token was asked of the person
    session,        ///< a session was asked of the person
    renew,          ///< a session token was renewed
    session_end,    ///< a session ended; the outcome says why
    features,       ///< `count` feature tokens of a session's key
    pin_change,     ///< the card's code was changed
    pin_unblock,    ///< the card's code was unblocked
    consent,        ///< the person's word was remembered
    consent_end,    ///< and taken back
    portal_added,   ///< the person registered a portal
    portal_removed, ///< and struck it off
    port_taken,     ///< the agent's first port is held by another program
    refused,        ///< refused without asking the person; `count` times
    repaired,       ///< a line that a crash had torn was dropped
    set_aside,      ///< a journal that does not hold together was set aside
};

/// One event. There is no room in it for a PIN, a token, a nonce, an address, or a patient's
/// number: only for what is listed here.
struct JournalEntry {
    Event event = Event::refused;
    std::string origin;                ///< canonical; empty where there is none
    std::vector<std::string> features; ///< identifiers of features
    std::string outcome = "done";      ///< or a stable code (docs/errors.md)
    std::uint64_t count = 1;
    friend bool operator==(const JournalEntry&, const JournalEntry&) = default;
};

/// A line as it stands in the file.
struct JournalLine {
    std::uint64_t seq = 0; ///< from 1, without gaps, across files
    std::string prev; ///< base64url SHA-256 of the line before, without its line feed; "" at 1
    EpochSeconds time{}; ///< this machine's clock
    JournalEntry entry;
};

inline constexpr std::size_t max_journal_line = 8192; // octets: 64 features of 64, and room

/// One line of JSON, without its end.
std::string to_text(const JournalLine& line);
/// Exactly the members that `to_text` writes. Errors: malformed_input.
Result<JournalLine> parse_journal_line(std::string_view text);
/// What the next line names as `prev`.
std::string chain_hash(std::string_view line);

/// The name that is written ("token"), and the words ("jeton demandé") in "fr" or "en".
std::string_view name_of(Event event) noexcept;
std::string_view words_of(Event event, std::string_view language) noexcept;

/// `journal.head`: how far the journal goes, signed and kept apart from it.
struct JournalHead {
    std::uint64_t seq = 0;
    std::string hash; ///< `chain_hash` of that line
    std::string key;  ///< base64url SubjectPublicKeyInfo of the key that signed
    /// What the signature is over.
    std::string signed_text() const;
    /// One line of JSON. @param signature ES256 over `signed_text`.
    std::string to_text(ByteView signature) const;
    /// Checks the signature with `trusted`, whatever `key` says. Errors: malformed_input.
    static Result<JournalHead> parse(std::string_view text, const crypto::PublicKey& trusted);
};

} // namespace cps::agent
