#include "login_session.hpp"

#include "bus_handler.hpp"
#include "login_messages.hpp"

#include "cps/base/error.hpp"
#include "cps/base/log.hpp"

#include <systemd/sd-bus.h>

#include <unistd.h>

namespace cps::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Between two looks whether everything has ended, before sleep: a dialog takes less to close.
constexpr milliseconds look_again{50};

constexpr const char* login = "org.freedesktop.login1";
constexpr const char* manager_path = "/org/freedesktop/login1";
constexpr const char* manager = "org.freedesktop.login1.Manager";
constexpr const char* properties = "org.freedesktop.DBus.Properties";

/// Signals of sessions, whichever it is; of the manager, one each, so that nobody else's
/// business wakes us up.
#define CPS_FROM_LOGIND "type='signal',sender='org.freedesktop.login1',"
#define CPS_OF_MANAGER                                                                         \
    CPS_FROM_LOGIND                                                                            \
    "path='/org/freedesktop/login1',interface='org.freedesktop.login1.Manager',"
#define CPS_OF_SESSIONS CPS_FROM_LOGIND "path_namespace='/org/freedesktop/login1/session',"

} // namespace

std::string_view name_of(LoginHearing hearing) noexcept
{
    switch (hearing) {
    case LoginHearing::unknown: return "unknown";
    case LoginHearing::heard: return "heard";
    case LoginHearing::no_session: return "no_session";
    case LoginHearing::no_logind: return "no_logind";
    case LoginHearing::no_bus: return "no_bus";
    }
    return "";
}

template <void (LoginSession::*Handle)(sd_bus_message*)>
void LoginSession::match(const char* rule)
{
    sd_bus_add_match_async(bus_.get(), nullptr, rule, &bus_handler<LoginSession, Handle>,
                           nullptr, this);
}

LoginSession::LoginSession(boost::asio::io_context& io, Hooks hooks)
    : hooks_{std::move(hooks)},
      bus_{io, {[this](sd_bus*) { opened(); }, [this] { lost(); }}},
      lookup_{{[this](const std::string& path, const LoginFacts& facts) { found(path, facts); },
               [this] { found_none(); }, [this] { now(LoginHearing::no_logind); }}},
      sleep_timer_{io}
{
}

LoginSession::~LoginSession()
{
    stop();
}

void LoginSession::start()
{
    bus_.start();
}

void LoginSession::stop()
{
    lookup_.stop();
    sleep_timer_.cancel();
    inhibitor_.reset();
    bus_.stop();
}

void LoginSession::opened()
{
    match<&LoginSession::sleep>(CPS_OF_MANAGER "member='PrepareForSleep'");
    match<&LoginSession::session_new>(CPS_OF_MANAGER "member='SessionNew'");
    match<&LoginSession::session_removed>(CPS_OF_MANAGER "member='SessionRemoved'");
    match<&LoginSession::user_removed>(CPS_OF_MANAGER "member='UserRemoved'");
    match<&LoginSession::locked>(CPS_OF_SESSIONS
                                 "interface='org.freedesktop.login1.Session',member='Lock'");
    match<&LoginSession::properties_changed>(
        CPS_OF_SESSIONS "interface='org.freedesktop.DBus.Properties',"
                        "member='PropertiesChanged',arg0='org.freedesktop.login1.Session'");
    match<&LoginSession::owner_changed>(
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
        "arg0='org.freedesktop.login1'");
    greet();
}

void LoginSession::lost()
{
    lookup_.stop();
    inhibitor_.reset(); // of a manager that may be another one when the bus is back
    now(LoginHearing::no_bus);
}

/// Asks for all that the signals to come are news of.
void LoginSession::greet()
{
    sd_bus_call_method_async(bus_.get(), nullptr, login, manager_path, properties, "Get",
                             &bus_handler<LoginSession, &LoginSession::sleeping_told>, this,
                             "ss", manager, "PreparingForSleep");
    inhibit_sleep();
    look();
}

void LoginSession::sleeping_told(sd_bus_message* reply)
{
    if (sd_bus_message_is_method_error(reply, nullptr) > 0)
        return;
    const bool was = std::exchange(asleep_, read_flag_property(reply));
    if (asleep_ && !was)
        return fall_asleep();
    tell_away();
}

void LoginSession::inhibit_sleep()
{
    sd_bus_call_method_async(bus_.get(), nullptr, login, manager_path, manager, "Inhibit",
                             &bus_handler<LoginSession, &LoginSession::inhibited>, this, "ssss",
                             "sleep", "cps-agent", "Ends the card's sessions", "delay");
}

void LoginSession::inhibited(sd_bus_message* reply)
{
    if (sd_bus_message_is_method_error(reply, nullptr) > 0)
        return log::info("sleep is not delayed: the login manager says no");
    inhibitor_ = copy_descriptor(reply);
}

void LoginSession::look()
{
    lookup_.start(bus_.get());
}

void LoginSession::found(const std::string& path, const LoginFacts& facts)
{
    session_ = path;
    gone_ = false;
    now(LoginHearing::heard);
    take(facts);
}

void LoginSession::found_none()
{
    if (!session_.empty())
        return logged_out();
    now(LoginHearing::no_session);
}

// --- what is heard

bool LoginSession::is_ours(sd_bus_message* signal) const
{
    const char* const path = sd_bus_message_get_path(signal);
    return path != nullptr && path == session_;
}

/// A request to lock. Whether the screen is locked then, LockedHint says, of desktops that
/// set it.
void LoginSession::locked(sd_bus_message* signal)
{
    if (is_ours(signal))
        hooks_.leave(SessionEnd::screen_locked);
}

void LoginSession::properties_changed(sd_bus_message* signal)
{
    if (!is_ours(signal))
        return;
    const auto facts = read_changed_facts(signal);
    take(facts);
    if (facts.stale)
        look();
}

void LoginSession::take(const LoginFacts& facts)
{
    const bool was_here = !locked_ && !inactive_;
    locked_ = facts.locked.value_or(locked_);
    inactive_ = !facts.active.value_or(!inactive_);
    tell_away();
    if (was_here && (locked_ || inactive_))
        hooks_.leave(SessionEnd::screen_locked);
}

void LoginSession::sleep(sd_bus_message* signal)
{
    asleep_ = read_flag(signal);
    if (asleep_)
        return fall_asleep();
    sleep_timer_.cancel();
    inhibit_sleep();
    tell_away();
}

void LoginSession::fall_asleep()
{
    tell_away();
    hooks_.leave(SessionEnd::suspended);
    let_sleep(steady_clock::now() + patience);
}

void LoginSession::let_sleep(steady_clock::time_point until)
{
    if (hooks_.settled() || steady_clock::now() >= until)
        return inhibitor_.reset();
    sleep_timer_.expires_after(look_again);
    sleep_timer_.async_wait([this, until](const boost::system::error_code& error) {
        if (!error)
            let_sleep(until);
    });
}

void LoginSession::session_new(sd_bus_message*)
{
    look();
}

void LoginSession::session_removed(sd_bus_message* signal)
{
    if (!session_.empty() && read_named_path(signal) == session_)
        logged_out();
}

void LoginSession::user_removed(sd_bus_message* signal)
{
    if (!session_.empty() && read_user(signal) == ::geteuid())
        logged_out();
}

/// Nobody is there, until a session of this user is.
void LoginSession::logged_out()
{
    session_.clear();
    locked_ = inactive_ = false;
    gone_ = true;
    tell_away();
    hooks_.leave(SessionEnd::logged_out);
    look();
}

void LoginSession::owner_changed(sd_bus_message* signal)
{
    if (read_has_owner(signal))
        return greet();
    lookup_.stop();
    now(LoginHearing::no_logind);
}

void LoginSession::tell_away()
{
    const bool away = locked_ || inactive_ || asleep_ || gone_;
    if (std::exchange(told_away_, away) != away)
        hooks_.away(away);
}

void LoginSession::now(LoginHearing hearing)
{
    if (std::exchange(hearing_, hearing) == hearing)
        return;
    switch (hearing) {
    case LoginHearing::unknown: return;
    case LoginHearing::heard:
        return log::info("the login session is heard: its lock, sleep and end");
    case LoginHearing::no_session:
        return log::notice("no login session of this user: only sleep ends sessions");
    case LoginHearing::no_logind:
        return log::warning("no login manager (logind): the screen's lock, sleep and log-out "
                            "do not end sessions");
    case LoginHearing::no_bus:
        return log::warning("no system bus (D-Bus): the screen's lock, sleep and log-out do "
                            "not end sessions");
    }
}

} // namespace cps::agent
