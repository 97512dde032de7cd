#include "service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <time.h>

#include <cstdint>

namespace cps::agent {

void tell_service_manager(ServiceState state) noexcept
{
    switch (state) {
    case ServiceState::ready: sd_notify(0, "READY=1"); return;
    case ServiceState::reloading: {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        const auto microseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
                                  static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                   static_cast<unsigned long long>(microseconds));
        return;
    }
    case ServiceState::stopping: sd_notify(0, "STOPPING=1"); return;
    }
}

} // namespace cps::agent
