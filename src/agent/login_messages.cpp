#include "login_messages.hpp"

#include "cps/base/error.hpp"

#include <systemd/sd-bus.h>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace cps::agent {
namespace {

/// What sd-bus returned, where less than zero means that the message is not as it should be.
int good(int returned)
{
    if (returned < 0)
        throw Error{Errc::malformed_input, "a message of the login manager", -returned};
    return returned;
}

template <class... Out>
void read(sd_bus_message* message, const char* types, Out*... out)
{
    if (good(sd_bus_message_read(message, types, out...)) == 0)
        throw Error{Errc::malformed_input, "a message of the login manager ends too soon"};
}

/// a{sv}: what it says of the session.
void read_facts(sd_bus_message* message, LoginFacts& facts)
{
    good(sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}"));
    while (good(sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
        const char* key = nullptr;
        read(message, "s", &key);
        const std::string_view name{key};
        int flag = 0;
        const char* text = nullptr;
        std::uint32_t user = 0;
        if (name == "Active") {
            read(message, "v", "b", &flag);
            facts.active = flag != 0;
        } else if (name == "LockedHint") {
            read(message, "v", "b", &flag);
            facts.locked = flag != 0;
        } else if (name == "Class") {
            read(message, "v", "s", &text);
            facts.kind = text;
        } else if (name == "State") {
            read(message, "v", "s", &text);
            facts.state = text;
        } else if (name == "User") {
            read(message, "v", "(uo)", &user, &text);
            facts.user = user;
        } else {
            good(sd_bus_message_skip(message, "v"));
        }
        good(sd_bus_message_exit_container(message));
    }
    good(sd_bus_message_exit_container(message));
}

} // namespace

LoginFacts read_all_facts(sd_bus_message* message)
{
    LoginFacts facts;
    read_facts(message, facts);
    return facts;
}

LoginFacts read_changed_facts(sd_bus_message* message)
{
    LoginFacts facts;
    const char* interface = nullptr;
    read(message, "s", &interface);
    read_facts(message, facts);
    good(sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s"));
    const char* name = nullptr;
    while (good(sd_bus_message_read(message, "s", &name)) > 0)
        facts.stale = facts.stale || std::string_view{name} == "Active" ||
                      std::string_view{name} == "LockedHint";
    return facts;
}

bool read_flag(sd_bus_message* message)
{
    int flag = 0;
    read(message, "b", &flag);
    return flag != 0;
}

std::string read_path(sd_bus_message* message)
{
    const char* path = nullptr;
    read(message, "o", &path);
    return path;
}

bool read_flag_property(sd_bus_message* message)
{
    int flag = 0;
    read(message, "v", "b", &flag);
    return flag != 0;
}

std::string read_object_property(sd_bus_message* message)
{
    const char* id = nullptr;
    const char* path = nullptr;
    read(message, "v", "(so)", &id, &path);
    return std::string_view{path} == "/" ? "" : path;
}

std::string read_named_path(sd_bus_message* message)
{
    const char* id = nullptr;
    const char* path = nullptr;
    read(message, "so", &id, &path);
    return path;
}

uid_t read_user(sd_bus_message* message)
{
    std::uint32_t user = 0;
    const char* path = nullptr;
    read(message, "uo", &user, &path);
    return user;
}

bool read_has_owner(sd_bus_message* message)
{
    const char* name = nullptr;
    const char* before = nullptr;
    const char* now = nullptr;
    read(message, "sss", &name, &before, &now);
    return *now != 0;
}

UniqueFd copy_descriptor(sd_bus_message* message)
{
    int fd = -1; // the message's own
    read(message, "h", &fd);
    UniqueFd copy{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
    if (!copy)
        throw Error{Errc::internal, "no descriptor for the sleep inhibitor", errno};
    return copy;
}

bool says_nobody_answers(sd_bus_message* message) noexcept
{
    constexpr std::array<const char*, 6> absences{
        SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
        SD_BUS_ERROR_NO_REPLY,        SD_BUS_ERROR_TIMEOUT,
        SD_BUS_ERROR_DISCONNECTED,    "org.freedesktop.DBus.Error.Spawn.ServiceNotFound"};
    return std::ranges::any_of(absences, [&](const char* name) {
        return sd_bus_message_is_method_error(message, name) > 0;
    });
}

} // namespace cps::agent
