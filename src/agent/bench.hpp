#pragma once

#include "cancel.hpp"
#include "card_guards.hpp"
#include "chosen.hpp"
#include "config.hpp"
#include "consents.hpp"
#include "pin_prompt.hpp"
#include "presence.hpp"
#include "sessions.hpp"

#include "cps/pkcs11_client/module.hpp"

namespace cps::agent {

/// What one piece of work with the person and the card needs.
struct Bench {
    const Config& config;
    pkcs11::Module& module;
    CardGuards& guards;
    LastChosen& last_chosen;
    Presence& presence;
    PinPrompt& prompt;
    Sessions& sessions;
    Cancel& cancel;
    Consents& consents;
};

} // namespace cps::agent
