#pragma once

#include "cancel.hpp"
#include "pin_prompt.hpp"

#include "cps/base/child_process.hpp"
#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"

#include <string>
#include <string_view>

namespace cps::agent {

/// The client's side of the Assuan protocol (libassuan manual, "Assuan Protocol"), over a
/// child's standard input and output. The octets that it reads live in a locked page, since
/// a `D` line may be a PIN. Blocking; every wait ends at the deadline or by `cancel`.
class Assuan {
public:
    static constexpr std::size_t max_line = 1000; // octets, the protocol's own limit
    static constexpr unsigned max_answers = 64;   // lines until OK or ERR: S, #, D, INQUIRE

    /// Starts `program` and reads its greeting. Errors are thrown: internal, cancelled,
    /// pin_timeout.
    Assuan(const std::string& program, const Cancel& cancel, PinPrompt::Deadline until);

    /// Sends `command`, waits for OK. Errors: what `ERR` says (pin_cancelled for
    /// GPG_ERR_CANCELED, consent_refused for GPG_ERR_NOT_CONFIRMED, pin_timeout for
    /// GPG_ERR_TIMEOUT, else not_supported); cancelled; pin_timeout at the deadline; internal.
    Result<void> command(std::string_view command);
    /// The same; the data that came before OK go into `data`, percent-decoded.
    Result<void> command(std::string_view command, Pin& data);
    /// `name value`, the value percent-encoded and cut to fit a line.
    Result<void> set(std::string_view name, std::string_view value);
    /// Ends a `command` that waits on another thread, with internal. Nothing can follow.
    void hang_up() noexcept;

private:
    Result<void> converse(std::string_view line, Pin* data);
    Result<std::string_view> read_line();
    Result<void> fill();

    const Cancel& cancel_;
    PinPrompt::Deadline until_;
    LockedPage buffer_;
    std::size_t begin_ = 0; // of what was read and not yet taken
    std::size_t end_ = 0;
    ChildProcess child_;
};

} // namespace cps::agent
