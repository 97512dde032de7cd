#include "login_lookup.hpp"

#include "bus_handler.hpp"
#include "login_messages.hpp"

#include <unistd.h>

#include <cstdlib>

namespace cps::agent {
namespace {

constexpr const char* login = "org.freedesktop.login1";
constexpr const char* manager_path = "/org/freedesktop/login1";
constexpr const char* manager = "org.freedesktop.login1.Manager";
constexpr const char* properties = "org.freedesktop.DBus.Properties";

std::string environment_session()
{
    const char* const id = std::getenv("XDG_SESSION_ID");
    return id != nullptr ? id : "";
}

} // namespace

LoginLookup::LoginLookup(Hooks hooks) : hooks_{std::move(hooks)} {}

LoginLookup::~LoginLookup() = default;

void LoginLookup::Unref::operator()(sd_bus_slot* slot) const noexcept
{
    sd_bus_slot_unref(slot);
}

void LoginLookup::start(sd_bus* bus)
{
    bus_ = bus;
    way_ = Way::environment;
    try_way();
}

void LoginLookup::next_way()
{
    way_ = static_cast<Way>(static_cast<int>(way_) + 1);
    try_way();
}

void LoginLookup::try_way()
{
    sd_bus_slot* slot = nullptr;
    int sent = 0;
    switch (way_) {
    case Way::environment: {
        const auto id = environment_session();
        if (id.empty())
            return next_way();
        sent = sd_bus_call_method_async(bus_, &slot, login, manager_path, manager, "GetSession",
                                        &bus_handler<LoginLookup, &LoginLookup::session_named>,
                                        this, "s", id.c_str());
        break;
    }
    case Way::display:
        sent = sd_bus_call_method_async(bus_, &slot, login, manager_path, manager, "GetUser",
                                        &bus_handler<LoginLookup, &LoginLookup::user_named>,
                                        this, "u", ::geteuid());
        break;
    case Way::process:
        sent = sd_bus_call_method_async(bus_, &slot, login, manager_path, manager,
                                        "GetSessionByPID",
                                        &bus_handler<LoginLookup, &LoginLookup::session_named>,
                                        this, "u", static_cast<unsigned>(::getpid()));
        break;
    case Way::none: asked_.reset(); return hooks_.none();
    }
    asked_.reset(sent < 0 ? nullptr : slot);
}

/// Whether the answer is no; nothing to go on with where there is no answer at all.
bool LoginLookup::is_refusal(sd_bus_message* reply)
{
    if (sd_bus_message_is_method_error(reply, nullptr) <= 0)
        return false;
    if (sd_bus_is_open(bus_) <= 0)
        return true; // `lost` comes next
    if (says_nobody_answers(reply))
        hooks_.nobody();
    else
        next_way();
    return true;
}

void LoginLookup::session_named(sd_bus_message* reply)
{
    if (!is_refusal(reply))
        ask_facts(read_path(reply));
}

void LoginLookup::user_named(sd_bus_message* reply)
{
    if (is_refusal(reply))
        return;
    sd_bus_slot* slot = nullptr;
    const int sent =
        sd_bus_call_method_async(bus_, &slot, login, read_path(reply).c_str(), properties,
                                 "Get", &bus_handler<LoginLookup, &LoginLookup::display_named>,
                                 this, "ss", "org.freedesktop.login1.User", "Display");
    asked_.reset(sent < 0 ? nullptr : slot);
}

void LoginLookup::display_named(sd_bus_message* reply)
{
    if (is_refusal(reply))
        return;
    const auto path = read_object_property(reply);
    if (path.empty())
        return next_way();
    ask_facts(path);
}

void LoginLookup::ask_facts(const std::string& path)
{
    candidate_ = path;
    sd_bus_slot* slot = nullptr;
    const int sent =
        sd_bus_call_method_async(bus_, &slot, login, path.c_str(), properties, "GetAll",
                                 &bus_handler<LoginLookup, &LoginLookup::facts_told>, this, "s",
                                 "org.freedesktop.login1.Session");
    asked_.reset(sent < 0 ? nullptr : slot);
}

void LoginLookup::facts_told(sd_bus_message* reply)
{
    if (is_refusal(reply))
        return;
    const auto facts = read_all_facts(reply);
    if (facts.user != ::geteuid() || !facts.kind.starts_with("user") ||
        facts.state == "closing")
        return next_way(); // a stale variable, a greeter, the user's own service manager
    hooks_.found(candidate_, facts);
}

} // namespace cps::agent
