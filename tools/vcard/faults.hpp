#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace cps::vcard {

/// Longest delay that may be asked for: above any deadline that a test waits out.
inline constexpr std::chrono::milliseconds max_delay{60'000};
/// Most commands that one `fail` reaches.
inline constexpr unsigned max_failures = 10'000;

/// What goes wrong with the next exchanges, and how often something did.
struct Faults {
    /// Before every answer; 0 for none.
    std::chrono::milliseconds delay{0};
    /// The next `failures` commands are not run and get this SW1-SW2.
    std::uint16_t failure_status = 0;
    unsigned failures = 0;
    /// The next answer keeps its first so many octets.
    std::optional<std::size_t> truncate_to;
    /// No answer at all, until reset or pulled out.
    bool mute = false;

    struct Counts {
        unsigned delayed = 0;
        unsigned failed = 0;
        unsigned truncated = 0;
        unsigned muted = 0;
        unsigned removed = 0;
        unsigned reset = 0;
        unsigned blocked = 0;
    };
    Counts counts;
};

} // namespace cps::vcard
