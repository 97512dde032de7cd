#pragma once

#include "cancel.hpp"
#include "config.hpp"
#include "consents.hpp"
#include "pin_prompt.hpp"
#include "presence.hpp"
#include "sessions.hpp"

#include <string>

namespace cps::agent {

/// What one piece of work with the person and the card needs.
struct Bench {
    const Config& config;
    const std::string& worker;
    Presence& presence;
    PinPrompt& prompt;
    Sessions& sessions;
    Cancel& cancel;
    Consents& consents;
};

} // namespace cps::agent
