#pragma once

#include "cryptoki.hpp"

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"
#include "cps/base/log.hpp"

#include <concepts>
#include <new>
#include <span>

namespace cps::p11 {

/// The one place where our errors become Cryptoki's. There is no `default`, so a new Errc
/// fails the build here (-Werror=switch) until somebody decides.
constexpr CK_RV to_ck_rv(Errc code) noexcept
{
    switch (code) {
    case Errc::bad_argument: return CKR_ARGUMENTS_BAD;
    case Errc::buffer_too_small: return CKR_BUFFER_TOO_SMALL;
    case Errc::not_supported: return CKR_FUNCTION_NOT_SUPPORTED;
    case Errc::too_large: return CKR_DATA_LEN_RANGE;
    case Errc::no_service:
    case Errc::no_reader:
    case Errc::no_card: return CKR_TOKEN_NOT_PRESENT;
    case Errc::card_removed: return CKR_DEVICE_REMOVED;
    case Errc::card_unsupported: return CKR_TOKEN_NOT_RECOGNIZED;
    // May well succeed later, which is what this code says.
    case Errc::card_in_use:
    case Errc::busy:
    case Errc::timeout: return CKR_FUNCTION_FAILED;
    case Errc::pin_wrong: return CKR_PIN_INCORRECT;
    case Errc::pin_blocked: return CKR_PIN_LOCKED;
    case Errc::pin_cancelled:
    case Errc::pin_timeout:
    case Errc::cancelled: return CKR_FUNCTION_CANCELED;
    case Errc::card_mute:
    case Errc::malformed_input:
    case Errc::card_refused:
    case Errc::certificate_missing: return CKR_DEVICE_ERROR;
    // None of these is raised below the agent.
    case Errc::origin_refused:
    case Errc::wrong_user:
    case Errc::host_refused:
    case Errc::not_found:
    case Errc::method_refused:
    case Errc::media_type_refused:
    case Errc::bad_request:
    case Errc::overloaded:
    case Errc::rate_limited:
    case Errc::certificate_expired:
    case Errc::consent_refused:
    case Errc::puk_wrong:
    case Errc::puk_blocked:
    case Errc::pin_change_unsupported:
    case Errc::screen_locked:
    case Errc::challenge_stale:
    case Errc::challenge_invalid:
    case Errc::feature_unknown:
    case Errc::session_ended:
    case Errc::limit_reached:
    case Errc::module_failed:
    case Errc::internal: break;
    }
    return CKR_GENERAL_ERROR;
}

/// 6982 from the card: somebody else took the login away.
inline CK_RV to_ck_rv(const Error& e) noexcept
{
    constexpr long security_status_not_satisfied = 0x6982;
    if (e.code() == Errc::card_refused && e.native() == security_status_not_satisfied)
        return CKR_USER_NOT_LOGGED_IN;
    return to_ck_rv(e.code());
}

/// Runs the body of one C_ function. Nothing unwinds into the host process and nothing ends it.
template <std::invocable Body>
CK_RV guarded(Body&& body) noexcept
{
    try {
        body();
        return CKR_OK;
    } catch (const Refusal& refusal) {
        return refusal.rv;
    } catch (const Error& e) {
        log::error(e);
        return to_ck_rv(e);
    } catch (const std::bad_alloc&) {
        return CKR_HOST_MEMORY;
    } catch (...) {
        return CKR_GENERAL_ERROR;
    }
}

/// A caller's input. @throws Refusal ARGUMENTS_BAD for a null pointer to something.
inline ByteView input(const void* data, CK_ULONG size)
{
    if (data == nullptr && size != 0)
        throw Refusal{CKR_ARGUMENTS_BAD};
    return {static_cast<const std::uint8_t*>(data), data == nullptr ? 0 : size};
}

/// @throws Refusal ARGUMENTS_BAD for a null pointer.
template <class T>
T& required(T* pointer)
{
    if (pointer == nullptr)
        throw Refusal{CKR_ARGUMENTS_BAD};
    return *pointer;
}

/// A caller's output buffer under the two-call rule (PKCS #11 v3.0, 5.2): a null pointer asks
/// for the size, a short buffer is told the size and refused; both keep an operation alive.
class Output {
public:
    Output(CK_BYTE_PTR data, CK_ULONG_PTR size) : data_{data}, size_{&required(size)} {}

    /// True when `needed` octets may be produced now. @throws Refusal BUFFER_TOO_SMALL.
    bool has_room_for(CK_ULONG needed)
    {
        const auto room = *size_;
        if (data_ != nullptr && room >= needed)
            return true;
        *size_ = needed;
        if (data_ != nullptr)
            throw Refusal{CKR_BUFFER_TOO_SMALL};
        return false;
    }
    /// @throws Refusal BUFFER_TOO_SMALL.
    void put(ByteView value)
    {
        if (!has_room_for(value.size()))
            return;
        std::copy(value.begin(), value.end(), data_);
        *size_ = value.size();
    }
    bool only_asks() const noexcept { return data_ == nullptr; }

private:
    CK_BYTE_PTR data_;
    CK_ULONG_PTR size_;
};

} // namespace cps::p11
