#include "cancel.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace cps::agent {

Cancel::Cancel() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}
{
    if (!event_)
        throw Error{Errc::internal, "no event descriptor", errno};
}

void Cancel::signal(Errc reason) noexcept
{
    int none = -1;
    if (!reason_.compare_exchange_strong(none, static_cast<int>(reason)))
        return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

std::optional<Errc> Cancel::reason() const noexcept
{
    const auto reason = reason_.load();
    return reason < 0 ? std::nullopt : std::optional{static_cast<Errc>(reason)};
}

} // namespace cps::agent
