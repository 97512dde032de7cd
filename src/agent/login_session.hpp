#pragma once

#include "login_lookup.hpp"
#include "session_events.hpp"
#include "system_bus.hpp"

#include "cps/base/unique_handle.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

struct sd_bus_message;

namespace cps::agent {

struct LoginFacts;

/// Whether the agent hears what becomes of the person's login session.
enum class LoginHearing {
    unknown,    ///< still asking
    heard,      ///< there is a session, and its screen, sleep and end are heard
    no_session, ///< sleep is heard; there is no session of this user
    no_logind,  ///< a bus, but no login manager on it
    no_bus,
};
/// "heard" and so on: what the person's tools read.
std::string_view name_of(LoginHearing hearing) noexcept;

/// Listens to logind (org.freedesktop.login1(5)): the screen's lock, another person's turn at
/// the seat, sleep, log-out. Sleep is delayed until what must end has ended, `patience` at
/// most. Where there is no bus or no logind, it says so once and the agent runs on. When the
/// bus goes, the last word stands until logind has been asked again. On `io`'s thread.
class LoginSession {
public:
    static constexpr std::chrono::seconds patience{3}; // logind itself waits 5 s

    struct Hooks {
        /// Whether nobody may be asked from now on: locked, another's turn, asleep, logged out.
        std::function<void(bool)> away;
        /// Everything that the person opened ends now. After `away(true)`, if that comes.
        std::function<void(SessionEnd)> leave;
        /// Whether what `leave` began has come to its end.
        std::function<bool()> settled;
    };

    LoginSession(boost::asio::io_context& io, Hooks hooks);
    ~LoginSession();
    LoginSession(const LoginSession&) = delete;
    LoginSession& operator=(const LoginSession&) = delete;

    void start();
    /// So that `io` may come to its end.
    void stop();
    LoginHearing hearing() const noexcept { return hearing_; }

private:
    template <void (LoginSession::*Handle)(sd_bus_message*)>
    void match(const char* rule);
    void opened();
    void lost();
    void greet();

    void look();
    void found(const std::string& path, const LoginFacts& facts);
    void found_none();

    // What is heard.
    void locked(sd_bus_message* signal);
    void properties_changed(sd_bus_message* signal);
    void sleep(sd_bus_message* signal);
    void session_new(sd_bus_message* signal);
    void session_removed(sd_bus_message* signal);
    void user_removed(sd_bus_message* signal);
    void owner_changed(sd_bus_message* signal);
    void sleeping_told(sd_bus_message* reply);
    void inhibited(sd_bus_message* reply);

    bool is_ours(sd_bus_message* signal) const;
    void take(const LoginFacts& facts);
    void logged_out();
    void fall_asleep();
    void inhibit_sleep();
    void let_sleep(std::chrono::steady_clock::time_point until);
    void tell_away();
    void now(LoginHearing hearing);

    const Hooks hooks_;
    SystemBus bus_;
    LoginLookup lookup_; ///< after the bus, so that it goes first
    boost::asio::steady_timer sleep_timer_;
    std::string session_; ///< its object's path; empty: none
    UniqueFd inhibitor_;  ///< sleep waits while it is open
    LoginHearing hearing_ = LoginHearing::unknown;

    bool locked_ = false;
    bool inactive_ = false;
    bool asleep_ = false;
    bool gone_ = false;
    bool told_away_ = false;
};

} // namespace cps::agent
