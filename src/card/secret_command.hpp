#pragma once

#include "cps/apdu/command.hpp"
#include "cps/base/secret.hpp"

#include <memory>

namespace cps::card {

/// A command that carries a code: it lies in a LockedPage while the card takes its time, and
/// not on a stack that a dump or the swap would hold.
class SecretCommand {
public:
    /// @throws Error internal as LockedPage does.
    explicit SecretCommand(apdu::Header header)
        : command_{::new (page_.bytes().data()) apdu::Command{header}}
    {
    }
    SecretCommand(const SecretCommand&) = delete;
    SecretCommand& operator=(const SecretCommand&) = delete;
    ~SecretCommand() { std::destroy_at(command_); }

    apdu::Command& operator*() noexcept { return *command_; }
    apdu::Command* operator->() noexcept { return command_; }

private:
    LockedPage page_;
    apdu::Command* command_;
};

} // namespace cps::card
