#pragma once

#include <boost/json/object.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace cps::ctl {

/// Nobody listens on the control socket: exit code 3.
class AgentAbsent final : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// The agent said no: told as `code detail`, exit code 1.
class AgentRefused final : public std::runtime_error {
public:
    AgentRefused(std::string code, const std::string& detail)
        : runtime_error{detail}, code_{std::move(code)}
    {
    }
    const std::string& code() const noexcept { return code_; }

private:
    std::string code_;
};

/// By LC_ALL, LC_MESSAGES or LANG.
bool person_reads_french();
/// The same as "fr" or "en".
inline std::string_view locale_language()
{
    return person_reads_french() ? "fr" : "en";
}

/// `$XDG_RUNTIME_DIR/cps-agent/control.sock`. @throws AgentAbsent where the variable is not
/// set.
std::string default_socket();

/// One call over the control socket, in the language of the person's locale. `body` goes with
/// POST.
/// @throws AgentAbsent, AgentRefused.
boost::json::object call_agent(const std::string& socket, std::string_view method,
                               std::string_view path,
                               const boost::json::object* body = nullptr);

} // namespace cps::ctl
