#include "broker_link.hpp"
#include "card_reading.hpp"
#include "child_signals.hpp"
#include "config.hpp"
#include "desk.hpp"
#include "event_streams.hpp"
#include "journal.hpp"
#include "login_session.hpp"
#include "page_streams.hpp"
#include "phrase.hpp"
#include "pinentry.hpp"
#include "presence.hpp"
#include "reload.hpp"
#include "revoke_poster.hpp"
#include "routes.hpp"
#include "runtime_dir.hpp"
#include "service_manager.hpp"
#include "session_journal.hpp"
#include "session_timer.hpp"
#include "settings.hpp"
#include "tickets.hpp"

#include "cps/base/log.hpp"
#include "cps/base/secret.hpp"
#include "cps/crypto/session_key.hpp"
#include "cps/http/server.hpp"
#include "cps/pcsc/monitor.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>

namespace {

using namespace cps;
using namespace cps::agent;

// Exit codes of docs/contracts.md.
constexpr int stopped = 0;
constexpr int bad_configuration = 1;
constexpr int wrong_usage = 2;
constexpr int no_port = 3;
constexpr int runs_already = 4;

// The browser's port, and the next ones where the first is taken (docs/http-api.md).
constexpr std::uint16_t first_port = 27743;
constexpr std::uint16_t last_port = 27762;

struct Options {
    std::filesystem::path config = "/etc/cps-agent/agent.toml";
    std::filesystem::path runtime_dir;
    bool check = false;
};

/// "fr" unless the configuration or the person's locale says English.
std::string_view language_of(const Config& config)
{
    switch (config.language) {
    case Language::fr: return "fr";
    case Language::en: return "en";
    case Language::automatic: break;
    }
    for (const auto* const name : {"LC_ALL", "LC_MESSAGES", "LANG"})
        if (const char* const value = std::getenv(name); value != nullptr && *value != 0)
            return std::string_view{value}.starts_with("en") ? "en" : "fr";
    return "fr";
}

/// The port that pages reach us on: the broker's, or our own.
std::optional<std::uint16_t> listen(http::Server& browser, std::optional<BrokerLink>& broker)
try {
    if (broker)
        return broker->start();
    const auto port = browser.listen_loopback(first_port, last_port);
    if (port != first_port)
        log::error("port 27743 is held by another program, which can pass for this agent; "
                   "cpsctl doctor says which");
    return port;
} catch (const Error& e) {
    log::error(e);
    return std::nullopt;
}

int serve(const Options& options, Settings& loaded)
{
    crypto::start_secure_heap();
    const RuntimeDir runtime{options.runtime_dir};
    boost::asio::io_context io{1};
    ChildSignals children{io};
    const SystemClock clock;
    const auto state = personal_state_dir();
    EventStreams events;
    PageStreams pages;
    const auto page_changed = [&] { pages.changed(); };
    Journal journal{state, clock};
    journal.tell(page_changed);
    Presence presence;
    Pinentry pinentry{loaded.config.pinentry_program};
    RecognisedPrompt prompt{pinentry, phrase_file(), language_of(loaded.config)};
    (void)guard_path(); // not first missed with a PIN in hand
    RevokePoster poster{poster_path()};
    SessionJournal session_journal{journal};
    Sessions sessions{loaded.config, clock, poster};
    sessions.add_observer(session_journal);
    sessions.add_observer(events);
    sessions.add_observer(pages);
    SessionTimer session_timer{io, sessions};
    Consents consents{state.empty() ? state : state / "consents.json",
                      loaded.config.consent_days, clock};
    CardReading cards{loaded.config, worker_path(), presence, page_changed};
    Desk desk{loaded.config, worker_path(), presence, prompt, sessions, consents, journal};
    sessions.add_observer(desk);
    const pcsc::Monitor monitor{[&](const pcsc::Snapshot& now) {
        sessions.cards_are(now); // first: no token after the card
        presence.update(now);
        events.cards_are(status_of(now));
        pages.changed();
    }};
    Tickets tickets{clock};
    LoginSession login{io,
                       {[&](bool away) { desk.set_away(away); },
                        [&](SessionEnd reason) {
                            desk.interrupt();
                            sessions.end_all(reason);
                        },
                        [&] { return desk.idle() && poster.idle(); }}};
    login.start();
    Reload reload{options.config, loaded, sessions, desk, events, pages};
    const Services services{loaded.config,
                            loaded.portals,
                            loaded.problems,
                            presence,
                            desk,
                            journal,
                            sessions,
                            consents,
                            tickets,
                            events,
                            pages,
                            cards,
                            language_of(loaded.config),
                            0,
                            &login,
                            &reload};

    BrowserRoutes browser_routes{services};
    http::Server browser{io, browser_routes};
    std::optional<BrokerLink> broker;
    if (const auto socket = broker_socket(loaded.config); !socket.empty())
        broker.emplace(io, socket,
                       [&](UniqueFd connection) { browser.adopt(std::move(connection)); });
    const auto port = listen(browser, broker);
    if (!broker && port != first_port)
        (void)journal.write(
            {Event::port_taken, {}, {}, port ? std::to_string(*port) : "none", 1});
    if (!port)
        return no_port;
    browser_routes.listening_on(*port);
    ControlRoutes control_routes{services, *port};
    http::Server control{io, control_routes};
    control.listen_local(runtime.control_socket());
    runtime.write_port(*port);
    log::notice("ready on 127.0.0.1:" + std::to_string(*port) +
                (broker ? ", through the broker" : ""));

    children.listen([&] { desk.tend(); });
    boost::asio::signal_set hangups{io, SIGHUP};
    bool stopping = false; // a hang-up that has been taken comes past any cancel
    const std::function<void()> wait_for_hangup = [&] {
        hangups.async_wait([&](const boost::system::error_code& error, int) {
            if (error || stopping)
                return;
            tell_service_manager(ServiceState::reloading);
            if (const auto done = reload.run(); !done)
                log::error(done.error());
            tell_service_manager(ServiceState::ready);
            wait_for_hangup();
        });
    };
    wait_for_hangup();
    boost::asio::signal_set signals{io, SIGINT, SIGTERM};
    signals.async_wait([&](const auto&, int) {
        tell_service_manager(ServiceState::stopping);
        stopping = true;
        hangups.cancel();
        children.stop();
        login.stop();
        desk.stop();
        sessions.end_all(SessionEnd::agent_stopped);
        session_timer.stop();
        if (broker)
            broker->stop();
        browser.stop();
        control.stop();
    });
    tell_service_manager(ServiceState::ready);
    io.run();
    return stopped;
}

} // namespace

int main(int argc, char** argv)
{
    forbid_dumps();
    std::signal(SIGPIPE, SIG_IGN); // NOLINT: before any thread
    Options options;
    options.runtime_dir = default_runtime_dir();
    CLI::App app{"The agent between portals' pages and the professional card.", "cps-agent"};
    app.set_version_flag("--version", CPS_VERSION);
    app.add_option("--config", options.config, "agent.toml; portals.d lies beside it")
        ->capture_default_str();
    app.add_option("--runtime-dir", options.runtime_dir, "for control.sock and port")
        ->capture_default_str();
    app.add_flag("--check", options.check, "read the configuration, tell what is wrong, end");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? stopped : wrong_usage;
    }
    try {
        std::vector<ConfigProblem> problems;
        auto loaded = Settings::load(options.config, problems);
        if (!loaded)
            return bad_configuration;
        log::set_level(loaded->config.log_level);
        if (options.check)
            return loaded->problems.empty() ? stopped : bad_configuration;
        if (options.runtime_dir.empty()) {
            log::error("no --runtime-dir, and no XDG_RUNTIME_DIR");
            return wrong_usage;
        }
        return serve(options, *loaded);
    } catch (const Error& e) {
        log::error(e);
        if (e.code() == Errc::busy)
            return runs_already;
    } catch (const std::exception& e) {
        log::error(e.what());
    }
    return bad_configuration;
}
