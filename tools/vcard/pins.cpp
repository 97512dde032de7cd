#include "vcard/pins.hpp"

#include "cps/base/error.hpp"

#include <algorithm>

namespace cps::vcard {

namespace {

constexpr std::uint8_t filler = 0xFF;

bool is_digit(std::uint8_t octet) noexcept
{
    return octet >= '0' && octet <= '9';
}

bool is_padded(ByteView code, std::size_t digits) noexcept
{
    return code.size() == PaddedCode{}.size() &&
           std::ranges::all_of(code.first(digits), is_digit) &&
           std::ranges::all_of(code.subspan(digits),
                               [](auto octet) { return octet == filler; });
}

} // namespace

PaddedCode padded_code(std::string_view digits, std::size_t count)
{
    if (digits.size() != count || !std::ranges::all_of(octets(digits), is_digit))
        throw Error{Errc::bad_argument, "a PIN has 4 digits, a PUK has 8"};
    PaddedCode code;
    code.fill(filler);
    std::ranges::copy(octets(digits), code.begin());
    return code;
}

Status Pins::status(Code code) const noexcept
{
    const auto tries = code == Code::pin ? state_.pin_tries : state_.puk_tries;
    if (tries == 0)
        return Status::blocked;
    return verified(code) ? Status::ok : tries_left(tries);
}

bool Pins::verified(Code code) const noexcept
{
    return code == Code::pin ? pin_verified_ : puk_verified_;
}

Status Pins::verify(Code code, ByteView padded) noexcept
{
    if (code == Code::pin)
        return verify_code(state_.pin, state_.pin_tries, max_pin_tries, pin_verified_, padded);

    if (state_.puk_uses == 0)
        return Status::blocked;
    const auto result =
        verify_code(state_.puk, state_.puk_tries, max_puk_tries, puk_verified_, padded);
    if (result == Status::ok)
        --state_.puk_uses;
    return result;
}

Status Pins::verify_code(const PaddedCode& right, unsigned& tries, unsigned max_tries,
                         bool& verified, ByteView padded) noexcept
{
    if (tries == 0)
        return Status::blocked;
    if (padded.size() != right.size())
        return Status::wrong_length;
    if (!std::ranges::equal(padded, right)) {
        verified = false;
        --tries;
        return tries == 0 ? Status::blocked : tries_left(tries);
    }
    tries = max_tries;
    verified = true;
    return Status::ok;
}

Status Pins::set_pin(ByteView padded) noexcept
{
    if (padded.size() != state_.pin.size())
        return Status::wrong_length;
    if (!is_padded(padded, pin_digits))
        return Status::wrong_data;
    std::ranges::copy(padded, state_.pin.begin());
    return Status::ok;
}

void Pins::block_pin() noexcept
{
    state_.pin_tries = 0;
    pin_verified_ = false;
}

} // namespace cps::vcard
