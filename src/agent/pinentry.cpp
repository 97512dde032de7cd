#include "pinentry.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace cps::agent {
namespace {

/// Where pinentry shall show itself, from the environment of the person's session.
void set_places(Assuan& assuan)
{
    struct Place {
        const char* variable;
        const char* option;
    };
    constexpr Place places[] = {{"GPG_TTY", "ttyname"},
                                {"TERM", "ttytype"},
                                {"LC_CTYPE", "lc-ctype"},
                                {"LC_MESSAGES", "lc-messages"}};
    for (const auto& place : places)
        if (const char* const value = std::getenv(place.variable);
            value != nullptr && *value != 0) {
            // A pinentry that does not know an option says so and goes on.
            [[maybe_unused]] const auto heard =
                assuan.set("OPTION", std::string{place.option} + '=' + value);
        }
}

} // namespace

Result<void> Pinentry::prepare(Assuan& assuan, const Dialog& dialog, Deadline until)
{
    using namespace std::chrono;
    set_places(assuan);
    // Not to be found in, and not to be put into, the desktop's password store.
    [[maybe_unused]] const auto no_cache = assuan.command("SETKEYINFO --clear");
    const auto left = std::max(1s, floor<seconds>(until - steady_clock::now()));
    [[maybe_unused]] const auto timed = assuan.set("SETTIMEOUT", std::to_string(left.count()));

    struct Text {
        const char* command;
        const std::string& value;
    };
    const Text texts[] = {{"SETTITLE", dialog.title},   {"SETDESC", dialog.description},
                          {"SETPROMPT", dialog.prompt}, {"SETERROR", dialog.error},
                          {"SETOK", dialog.ok},         {"SETCANCEL", dialog.cancel}};
    for (const auto& text : texts) {
        if (text.value.empty())
            continue;
        const auto set = assuan.set(text.command, text.value);
        if (!set && set.error().code() != Errc::not_supported)
            return set;
    }
    return {};
}

Result<Pin> Pinentry::ask_pin(const Dialog& dialog, const Cancel& cancel, Deadline until)
try {
    Assuan assuan{program_, cancel, until};
    if (const auto ready = prepare(assuan, dialog, until); !ready)
        return ready.error();
    Pin pin;
    if (const auto answered = assuan.command("GETPIN", pin); !answered)
        return answered.error();
    return pin;
} catch (const Error& e) {
    return e;
}

Result<void> Pinentry::confirm(const Dialog& dialog, const Cancel& cancel, Deadline until)
try {
    Assuan assuan{program_, cancel, until};
    if (const auto ready = prepare(assuan, dialog, until); !ready)
        return ready.error();
    auto answered = assuan.command("CONFIRM");
    if (!answered && answered.error().code() == Errc::pin_cancelled)
        return Error{Errc::consent_refused, "the person said no"};
    return answered;
} catch (const Error& e) {
    return e;
}

} // namespace cps::agent
