#pragma once

#include "cps/base/error.hpp"
#include "cps/base/log.hpp"

#include <systemd/sd-bus.h>

namespace cps::agent {

/// What sd-bus calls with a message, as a member function of `self`. A message that cannot be
/// read is told and passed over.
template <class Object, void (Object::*Handle)(sd_bus_message*)>
int bus_handler(sd_bus_message* message, void* self, sd_bus_error*) noexcept
{
    try {
        (static_cast<Object*>(self)->*Handle)(message);
    } catch (const Error& e) {
        log::error(e);
    } catch (const std::exception&) {
        log::error("a message of the login manager was lost");
    }
    return 0;
}

} // namespace cps::agent
