#pragma once

#include "desk.hpp"
#include "journal.hpp"

#include "cps/http/message.hpp"

namespace cps::agent {

/// Writes what came of `request` to the journal. `outcome` as it was; a token that could not be
/// written down is withheld and becomes `internal`. What failed before the person was asked
/// is summed up (Journal::refused), since a page may repeat it.
Outcome recorded(Journal& journal, const TokenRequest& request, Outcome outcome);

/// The same for the card's own code, where the person was asked.
void record(Journal& journal, const PinTask& task, const PinTaskOutcome& outcome) noexcept;

/// A request that was not let in. An Origin in any but the canonical form is left out.
void record_refusal(Journal& journal, const http::Request& request, Errc code) noexcept;

} // namespace cps::agent
