#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

// Frames between the agent and its worker: one octet of kind, four of length (big-endian), the
// body. The agent asks, the worker answers with exactly one frame.
namespace cps::pkcs11 {

enum class Kind : std::uint8_t {
    list = 1,        ///< asks: no body
    sign = 2,        ///< asks: the certificate, the DigestInfo; a `pin` frame follows
    pin = 3,         ///< the PIN's octets and nothing else
    puk_tries = 4,   ///< asks: the certificate
    change_pin = 5,  ///< asks: the certificate; `pin` frames follow: the old PIN, the new one
    unblock_pin = 6, ///< asks: the certificate; `pin` frames follow: the PUK, the new PIN
    find = 7,        ///< asks: a Wanted
    listed = 16,     ///< answers `list` and `find`
    signature = 17,  ///< answers `sign`: a Signed
    wrong_pin = 18,  ///< answers what a `pin` follows: one octet, the tries left
    refused = 19,    ///< answers any: a Refusal and a CK_RV
    tries = 20,      ///< answers `puk_tries`: one octet, 0 to 3
    pin_set = 21,    ///< answers `change_pin`, `unblock_pin`: no body
};
std::optional<Kind> kind_of(std::uint8_t octet) noexcept;

/// Longest X.509 certificate that we take from a token; a CPS's has about 2,200 octets.
inline constexpr std::size_t max_certificate = 16 * 1024; // octets
/// Longest CKA_ID; a CPS's has 15 octets.
inline constexpr std::size_t max_id = 128; // octets
/// Most certificates that we take from one module; a CPS has two or three.
inline constexpr std::size_t max_certificates = 64;
/// Longest DER DigestInfo; SHA-512's has 83 octets.
inline constexpr std::size_t max_digest_info = 128; // octets
/// Longest signature: RSA with 8,192 bits.
inline constexpr std::size_t max_signature = 1024; // octets

/// Longest body that a frame of this kind may have, in octets.
std::size_t max_body(Kind kind) noexcept;

/// Until when one waits, and for whose sake one stops earlier.
struct Patience {
    std::chrono::steady_clock::time_point deadline;
    int cancel_fd = -1; ///< readable: stop; -1: none
};
inline constexpr Patience forever{std::chrono::steady_clock::time_point::max()};

struct Frame {
    Kind kind{};
    Bytes body;
};

/// Frames over a connected stream socket, which it does not own. A peer that has gone raises no
/// signal. Every function answers module_failed (peer gone, deadline passed, frame malformed;
/// native: errno) or cancelled. One thread at a time.
class Wire {
public:
    explicit Wire(int socket) noexcept : socket_{socket} {}

    /// The body travels from where it lies, without a copy of ours.
    Result<void> send(Kind kind, ByteView body, const Patience& patience) const;
    Result<Frame> receive(const Patience& patience) const;
    /// Takes one `pin` frame, straight into the page that `pin` locks.
    Result<void> receive_pin(Pin& pin, const Patience& patience) const;
    /// Reads until the peer closes; whatever still comes is dropped.
    Result<void> wait_for_end(const Patience& patience) const;

private:
    Result<void> wait(short events, const Patience& patience) const;
    Result<void> fill(std::span<std::uint8_t> target, const Patience& patience) const;
    struct Head {
        Kind kind;
        std::size_t length;
    };
    Result<Head> receive_head(const Patience& patience) const;

    int socket_;
};

} // namespace cps::pkcs11
