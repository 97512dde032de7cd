#include "portal.hpp"
#include "settings.hpp"

#include "cps/base/log.hpp"
#include "cps/base/secret.hpp"
#include "cps/http/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

namespace {

using namespace cps;

constexpr int done = 0;
constexpr int refused = 1;

/// A request token makes a header line of some 5 KiB; with the rest of a browser's head it
/// passes the agent's limit.
constexpr http::Limits limits{.head = 24 * 1024, .body = 8 * 1024, .connections = 256};

std::string text_of_file(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    if (!file)
        throw Error{Errc::bad_argument, "the trust file cannot be read"};
    return text.str();
}

int hash_password()
{
    std::string password;
    std::getline(std::cin, password);
    if (password.empty() || password.size() > portal::max_password_size) {
        std::cerr << "bad_argument: a password has 1 to 256 octets\n";
        return refused;
    }
    std::cout << portal::PasswordHash::make(password).str() << '\n';
    wipe(std::span<char>{password});
    return done;
}

/// The listener must stand before the origin is known (port 0), the portal before requests.
class LateHandler final : public http::Handler {
public:
    void handle(http::Request request, http::Reply reply) override
    {
        portal->handle(std::move(request), std::move(reply));
    }
    std::string_view language() const override { return "fr"; }
    std::optional<portal::Portal> portal;
};

int run(const portal::Settings& settings)
{
    boost::asio::io_context io;
    const SystemClock clock;
    LateHandler handler;
    http::Server server{io, handler, limits};
    const auto port = server.listen_tcp(settings.listen.host, settings.listen.port);
    const auto origin = settings.origin.value_or(
        token::Origin::parse("http://127.0.0.1:" + std::to_string(port)).value());

    handler.portal.emplace(
        io, clock,
        portal::Portal::Parts{origin, portal::Accounts::load(settings.accounts),
                              portal::Pages{settings.web, settings.agent_ports},
                              x509::TrustStore::from_pem(text_of_file(settings.trust)).value(),
                              settings.policies});
    boost::asio::signal_set signals{io, SIGINT, SIGTERM};
    signals.async_wait([&](const auto&, int) {
        server.stop();
        io.stop();
    });
    std::cout << "PORTAL=" << origin.str() << "\nLISTENING=" << settings.listen.host << ':'
              << port << std::endl;
    io.run();
    return done;
}

} // namespace

int main(int argc, char** argv)
{
    const auto line = portal::read_command_line(argc, argv);
    if (line.exit_code)
        return *line.exit_code;
    try {
        return line.hash_password ? hash_password() : run(line.settings);
    } catch (const Error& e) {
        std::cerr << stable_code(e.code()) << ": " << e.what() << '\n';
        return refused;
    } catch (const std::exception&) {
        std::cerr << "internal: the portal cannot run\n";
        return refused;
    }
}
