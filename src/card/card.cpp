#include "cps/card/card.hpp"

#include "cps/base/error.hpp"
#include "cpx.hpp"

#include <algorithm>

namespace cps::card {

std::unique_ptr<Card> driver_for(pcsc::Family family)
{
    switch (family) {
    case pcsc::Family::cps3: return make_cps3({0x00, 0x01}, true);
    case pcsc::Family::cps3_contactless: return make_cps3({0x00, 0x02}, false);
    case pcsc::Family::cps4: return make_cps4();
    case pcsc::Family::unknown: break;
    }
    return nullptr;
}

PinOutcome pin_outcome(apdu::StatusWord status)
{
    if (status.ok())
        return {PinOutcome::accepted, 0};
    if (status == apdu::sw::blocked)
        return {PinOutcome::blocked, 0};
    if (const auto left = status.tries_left())
        return *left == 0 ? PinOutcome{PinOutcome::blocked, 0}
                          : PinOutcome{PinOutcome::wrong, *left};
    refused(status);
}

bool well_formed(ByteView pin, const PinFormat& format) noexcept
{
    return pin.size() >= format.min_size && pin.size() <= format.max_size &&
           std::ranges::all_of(pin, [](std::uint8_t c) { return c >= '0' && c <= '9'; });
}

Pin pad_pin(ByteView pin, const PinFormat& format)
{
    if (!well_formed(pin, format) || format.stored_size > Pin::max_size)
        throw Error{Errc::bad_argument, "the PIN has not the form that the card takes"};
    Pin padded;
    const auto out = padded.buffer().first(format.stored_size);
    std::ranges::fill(out, format.padding);
    std::ranges::copy(pin, out.begin());
    padded.set_size(format.stored_size);
    return padded;
}

} // namespace cps::card
