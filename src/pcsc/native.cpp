#include "native.hpp"

namespace cps::pcsc {
namespace {

Errc errc_of(LONG rc) noexcept
{
    switch (rc) {
    case SCARD_E_NO_SERVICE:
    case SCARD_E_SERVICE_STOPPED:
    case SCARD_F_COMM_ERROR:
    case SCARD_E_INVALID_HANDLE:     // pcscd restarted: it knows none of our handles
    case SCARD_W_SECURITY_VIOLATION: // polkit's refusal, in the words of pcsclite 2
        return Errc::no_service;
    case SCARD_E_UNKNOWN_READER:
    case SCARD_E_READER_UNAVAILABLE:
    case SCARD_E_NO_READERS_AVAILABLE: return Errc::no_reader;
    case SCARD_E_NO_SMARTCARD: return Errc::no_card;
    case SCARD_W_REMOVED_CARD: return Errc::card_removed;
    case SCARD_W_UNRESPONSIVE_CARD:
    case SCARD_W_UNPOWERED_CARD:
    case SCARD_W_UNSUPPORTED_CARD:
    case SCARD_E_PROTO_MISMATCH:
    case SCARD_E_NOT_TRANSACTED: return Errc::card_mute;
    case SCARD_E_SHARING_VIOLATION: return Errc::card_in_use;
    case SCARD_E_CANCELLED: return Errc::cancelled;
    case SCARD_E_TIMEOUT: return Errc::timeout;
    case SCARD_E_INSUFFICIENT_BUFFER: return Errc::malformed_input; // more than any short APDU
    case SCARD_E_UNSUPPORTED_FEATURE: return Errc::not_supported;
    default: return Errc::internal;
    }
}

} // namespace

Result<UniqueContext> establish() noexcept
{
    SCARDCONTEXT context = 0;
    const auto rc = ::SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context);
    if (rc != SCARD_S_SUCCESS)
        return error_of(rc, "the smart-card service does not answer");
    return UniqueContext{context};
}

Error error_of(LONG rc, Literal what) noexcept
{
    return {errc_of(rc), what, rc};
}

} // namespace cps::pcsc
