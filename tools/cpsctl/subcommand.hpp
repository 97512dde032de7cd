#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace cps::ctl {

// Exit codes of every command-line tool (docs/contracts.md).
inline constexpr int exit_done = 0;
inline constexpr int exit_refused = 1; // the stable code is the first word on standard error
inline constexpr int exit_usage = 2;
inline constexpr int exit_absent = 3; // no agent, no service

/// Does the work once the command line is parsed; gives the exit code. May throw Error, which
/// is told by its stable code and becomes exit_refused.
using Run = std::function<int()>;

/// `cpsctl NAME`. To add one: a file here, a row in main.cpp, a test.
struct Subcommand {
    const char* name;
    const char* summary;
    /// Declares options on `app`, which outlives the returned Run.
    Run (*declare)(CLI::App& app);
};

Run declare_cert(CLI::App& app);
Run declare_consents(CLI::App& app);
Run declare_portal(CLI::App& app);
Run declare_doctor(CLI::App& app);
Run declare_journal(CLI::App& app);
Run declare_phrase(CLI::App& app);
Run declare_pin(CLI::App& app);
Run declare_sessions(CLI::App& app);
Run declare_status(CLI::App& app);
Run declare_token(CLI::App& app);
Run declare_ui(CLI::App& app);
Run declare_verify(CLI::App& app);

} // namespace cps::ctl
