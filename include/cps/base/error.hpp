#pragma once

#include <boost/system/result.hpp>

#include <exception>
#include <string_view>

namespace cps {

/// What went wrong, as the one who can act on it sees it. Every enumerator has its row in
/// `error_table.cpp`, whose code strings are part of the public contract (docs/errors.md).
enum class Errc {
    // The request, and who makes it.
    origin_refused,
    wrong_user,
    host_refused,
    not_found,
    method_refused,
    media_type_refused,
    bad_request,
    too_large,
    timeout,
    overloaded,
    rate_limited,
    busy,
    // Readers and cards.
    no_service,
    no_reader,
    no_card,
    card_unsupported,
    card_mute,
    card_in_use,
    card_removed,
    certificate_expired,
    certificate_missing,
    // The person.
    consent_refused,
    pin_cancelled,
    pin_timeout,
    pin_wrong,
    pin_blocked,
    screen_locked,
    // What was asked for.
    challenge_stale,
    challenge_invalid,
    feature_unknown,
    session_ended,
    limit_reached,
    // Ourselves and the parts that we drive.
    module_failed,
    internal,
    // Lower layers only; none of these crosses the HTTP interface under its own name.
    bad_argument,
    buffer_too_small,
    not_supported,
    malformed_input,
    card_refused,
    cancelled,
    // The card's own code, for the person's tools alone (`cpsctl pin`).
    puk_wrong,
    puk_blocked,
    pin_change_unsupported,
};

/// A string literal. Run-time text does not convert, so no PIN can reach an error message.
class Literal {
public:
    consteval Literal(const char* text) noexcept : text_{text} {}
    const char* c_str() const noexcept { return text_; }

private:
    const char* text_;
};

class Error final : public std::exception {
public:
    /// Only because `Result::error()` of a good result wants one.
    Error() noexcept : Error{Errc::internal, "no error"} {}
    Error(Errc code, Literal what, long native = 0) noexcept
        : code_{code}, what_{what}, native_{native}
    {
    }
    Errc code() const noexcept { return code_; }
    /// The number the layer below gave us: SCARD_*, CKR_*, SW1-SW2, errno; 0 if none.
    long native() const noexcept { return native_; }
    const char* what() const noexcept override { return what_.c_str(); }

private:
    Errc code_;
    Literal what_;
    long native_;
};

template <class T>
using Result = boost::system::result<T, Error>;

/// Lets `result.value()` throw the stored Error itself.
[[noreturn]] inline void throw_exception_from_error(const Error& e,
                                                    const boost::source_location&)
{
    throw e;
}

/// The stable code of an error, as HTTP bodies and command-line tools print it
/// ("pin_wrong"). Lower-layer enumerators answer "internal".
std::string_view stable_code(Errc code) noexcept;

/// The HTTP status that goes with it (docs/http-api.md).
unsigned http_status(Errc code) noexcept;

/// Cause and remedy for the person, in `language` ("fr" or "en"; anything else is "en").
std::string_view explain(Errc code, std::string_view language) noexcept;

} // namespace cps
