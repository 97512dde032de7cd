#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cps::ctl {

/// What `cpsctl doctor` can find. Its name is its stable identifier (docs/doctor.md).
enum class Fault {
    configuration,   ///< a line of agent.toml or of a portal's file
    service_absent,  ///< pcscd does not run
    service_refused, ///< pcscd runs and does not let this user in
    no_reader,
    no_card,
    reader_in_use, ///< another program took a reader for itself
    card_unknown,
    card_mute,
    module_failed, ///< the PKCS #11 module does not load, or fails
    certificate_missing,
    certificate_expired,
    certificate_expiring, ///< within expiring_days
    clock_off,            ///< the machine's clock is certainly wrong
    agent_absent,
    port_taken,     ///< a stranger listens where pages look for the agent first
    broker_missed,  ///< the broker holds that port, and the agent is not registered there
    agent_outdated, ///< the agent is older than cpsctl
    journal_broken, ///< the agent's journal does not hold together, or one was set aside
    login_unheard,  ///< the agent hears nothing of the screen's lock, sleep and log-out
};

enum class Severity {
    error,   ///< the card cannot be used
    warning, ///< it can, but not for long or not safely
    hint,    ///< nothing is wrong
};

inline constexpr int expiring_days = 30;

/// One row of the table: what is said of a fault, and what to do.
struct FaultRow {
    Fault fault;
    std::string_view id;
    Severity severity;
    std::string_view what_fr, what_en;
    std::string_view remedy_fr, remedy_en;
};
std::span<const FaultRow> fault_rows() noexcept;
const FaultRow& row_of(Fault fault) noexcept;

struct Finding {
    Fault fault;
    std::string subject; ///< which reader, file and line, module …; may be empty
};

} // namespace cps::ctl
