#include "pinentry.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

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

/// pinentry takes an underscore in the words of a field or a button for a shortcut.
std::string without_shortcut(std::string_view words)
{
    std::string out;
    for (const char c : words)
        out += c == '_' ? "__" : std::string(1, c);
    return out;
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
        std::string value;
    };
    const Text texts[] = {{"SETTITLE", dialog.title},
                          {"SETDESC", dialog.description},
                          {"SETPROMPT", without_shortcut(dialog.prompt)},
                          {"SETERROR", dialog.error},
                          {"SETOK", without_shortcut(dialog.ok)},
                          {"SETCANCEL", without_shortcut(dialog.cancel)}};
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

/// A thread of its own hears what becomes of the window.
class Pinentry::Window final : public Notice {
public:
    Window(const std::string& program, const Dialog& dialog, Cancel& cancel, Deadline until)
        : cancel_{cancel}, assuan_{program, cancel, until}
    {
        if (const auto ready = prepare(assuan_, dialog, until); !ready)
            throw ready.error();
        thread_ = std::thread{[this] { wait(); }};
    }
    ~Window() override
    {
        closing_ = true;
        assuan_.hang_up();
        thread_.join();
    }

private:
    void wait()
    {
        const auto answered = assuan_.command("MESSAGE");
        if (closing_)
            return;
        const auto code = answered ? Errc::consent_refused : answered.error().code();
        const bool by_person = code == Errc::consent_refused || code == Errc::pin_cancelled;
        cancel_.signal(by_person                   ? Errc::consent_refused
                       : code == Errc::pin_timeout ? code
                                                   : Errc::internal);
    }

    Cancel& cancel_;
    Assuan assuan_;
    std::atomic<bool> closing_{false};
    std::thread thread_;
};

Result<std::unique_ptr<Notice>> Pinentry::show(const Dialog& dialog, Cancel& cancel,
                                               Deadline until)
try {
    return std::unique_ptr<Notice>{std::make_unique<Window>(program_, dialog, cancel, until)};
} catch (const Error& e) {
    return e;
}

} // namespace cps::agent
