#pragma once

#include "vcard/card.hpp"
#include "vcard/command.hpp"
#include "vcard/file_tree.hpp"
#include "vcard/reply.hpp"

#include <memory>
#include <span>

namespace cps::vcard {

/// What both generations share: GET RESPONSE, chaining, files and VERIFY. A generation adds
/// its table of commands and its own way of selecting and of using keys.
class Chip : public Card {
public:
    Bytes process(ByteView command) final;
    void reset() noexcept final;
    const Pins& pins() const noexcept final { return pins_; }
    Pins& pins() noexcept final { return pins_; }

protected:
    Chip(std::unique_ptr<FileTree> files, const PinState& pins);

    /// ok, or why a command of this class is not looked at.
    virtual Status admit(const Command& command) const noexcept = 0;
    /// Runs one whole command; chained blocks have been put together.
    virtual Reply execute(const Command& command) = 0;
    /// Whether the answer to a command with data comes at once (T=1) or through GET RESPONSE.
    virtual bool answers_at_once(const Command& command) const noexcept = 0;
    /// Forgets what the generation adds to the volatile state.
    virtual void forget() noexcept = 0;

    Reply read_binary(const Command& command);
    Reply update_binary(const Command& command);
    Reply verify(const Command& command);
    Reply get_challenge(const Command& command);

    FileTree& files() noexcept { return *files_; }
    const Selection& current() const noexcept { return current_; }
    void select(const Selection& selection) noexcept { current_ = selection; }
    bool pin_verified() const noexcept { return pins_.verified(Code::pin); }

private:
    Bytes respond(const Command& command);
    Bytes get_response(const Command& command);
    Bytes collect(const Command& command);
    /// The command's data with the chained blocks before it, or its data alone.
    Bytes take_chain(const Command& command);
    Bytes deliver(const Command& command, Reply reply);
    Bytes hand_out(Bytes data, std::size_t le);
    /// The file that READ and UPDATE BINARY mean, which becomes current; null when none.
    File* addressed_file(const Command& command);
    Status missing_file(const Command& command) const noexcept;

    std::unique_ptr<FileTree> files_;
    Pins pins_;
    // Volatile from here on.
    Selection current_;
    Bytes pending_;
    Bytes chain_;
};

/// One line of a generation's table.
template <class Generation>
struct Instruction {
    std::uint8_t code;
    Reply (Generation::*run)(const Command&);
};

/// Runs the line with the command's INS; 6D00 when there is none.
template <class Generation>
Reply run_instruction(Generation& chip, std::span<const Instruction<Generation>> table,
                      const Command& command)
{
    for (const auto& [code, run] : table)
        if (code == command.ins)
            return (chip.*run)(command);
    return Status::unknown_instruction;
}

} // namespace cps::vcard
