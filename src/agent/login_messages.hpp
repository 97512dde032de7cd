#pragma once

#include "cps/base/unique_handle.hpp"

#include <sys/types.h>

#include <optional>
#include <string>

struct sd_bus_message;

/// What the login manager says, read from its messages (org.freedesktop.login1(5)).
namespace cps::agent {

/// Of a Session object; absent: not told.
struct LoginFacts {
    std::optional<bool> active;
    std::optional<bool> locked; ///< LockedHint
    std::optional<uid_t> user;
    std::string kind;  ///< Class: "user", "greeter", "manager" …
    std::string state; ///< "active", "online", "closing"
    /// Active or LockedHint changed and the message does not say to what.
    bool stale = false;
};

/// The answer to Properties.GetAll. @throws Error malformed_input.
LoginFacts read_all_facts(sd_bus_message* message);
/// The signal Properties.PropertiesChanged. @throws Error malformed_input.
LoginFacts read_changed_facts(sd_bus_message* message);
/// The first of the message's arguments. @throws Error malformed_input.
bool read_flag(sd_bus_message* message);
std::string read_path(sd_bus_message* message);
/// A variant that holds a flag. @throws Error malformed_input.
bool read_flag_property(sd_bus_message* message);
/// A variant that holds (so): the path; empty for "/". @throws Error malformed_input.
std::string read_object_property(sd_bus_message* message);
/// (so) as two arguments: the path. @throws Error malformed_input.
std::string read_named_path(sd_bus_message* message);
/// (uo) as two arguments: the user. @throws Error malformed_input.
uid_t read_user(sd_bus_message* message);
/// NameOwnerChanged: whether the name has an owner now. @throws Error malformed_input.
bool read_has_owner(sd_bus_message* message);
/// The first argument, a descriptor: a copy. @throws Error malformed_input, internal.
UniqueFd copy_descriptor(sd_bus_message* message);
/// An error that means that nobody answers, and not that the answer is no.
bool says_nobody_answers(sd_bus_message* message) noexcept;

} // namespace cps::agent
