#pragma once

namespace cps::agent {

/// What systemd is told of this program where it started it (sd_notify(3)); nothing happens
/// elsewhere.
enum class ServiceState { ready, reloading, stopping };
void tell_service_manager(ServiceState state) noexcept;

} // namespace cps::agent
