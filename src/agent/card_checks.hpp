#pragma once

#include "bench.hpp"
#include "cancel.hpp"
#include "presence.hpp"

#include "cps/base/error.hpp"
#include "cps/pkcs11_client/module.hpp"

#include <string>
#include <string_view>
#include <vector>

// What the agent itself asks of readers and cards, past the module. Blocking.
namespace cps::agent {

/// What the module finds on every card. One that does not answer it passes over, or fails
/// with it: whether a card is mute, a reset tells. Errors: card_mute, and those of
/// Module::certificates, `explained`. @param of only its certificate is wanted: Module::find.
Result<std::vector<pkcs11::TokenCertificate>>
list_certificates(const Bench& bench, const CardInReader* of = nullptr);

/// A module that loses its card often says no more than "device error", before the reader
/// monitor has heard of it: the monitor's word, in `cancel`, is waited for. Returns `error`.
Error explained(const Error& error, const Cancel& cancel);

/// PC/SC names of the readers that Cryptoki describes so: it cuts a long name.
std::vector<std::string> readers_called(std::string_view slot_description,
                                        const Presence& presence);

/// A verified PIN would serve the next program: the cards lose it by a reset. The worker has
/// ended before.
void reset_cards(const std::vector<std::string>& readers);

} // namespace cps::agent
