#include "vcard/card_data.hpp"
#include "vcard/control_server.hpp"
#include "vcard/options.hpp"
#include "vcard/vpcd_link.hpp"

#include "cps/base/error.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <sys/stat.h>

#include <csignal>
#include <iostream>
#include <optional>

namespace {

using namespace cps;
namespace asio = boost::asio;

// Exit codes of every command-line tool.
constexpr int done = 0;
constexpr int refused = 1;
constexpr int wrong_usage = 2;

vcard::Device make_device(const vcard::Options& options)
{
    const vcard::StateFile state{options.state};
    const vcard::PinState first{vcard::padded_code(options.pin, vcard::pin_digits),
                                vcard::padded_code(options.puk, vcard::puk_digits)};
    auto card = vcard::make_card(vcard::read_card_directory(options.card),
                                 state.load().value_or(first));
    auto log = options.apdu_log.empty() ? vcard::ApduLog{} : vcard::ApduLog{options.apdu_log};
    return {std::move(card), state, std::move(log), options.timing};
}

/// Until SIGTERM or SIGINT. @throws whatever a part of the card throws.
void run(const vcard::Options& options)
{
    ::umask(S_IRWXG | S_IRWXO); // socket, state and log are their owner's
    auto device = make_device(options);
    asio::io_context io{1};
    asio::signal_set stop{io, SIGTERM, SIGINT};
    stop.async_wait([&io](const auto&, int) { io.stop(); });

    const auto fail = [](std::exception_ptr problem) {
        if (problem)
            std::rethrow_exception(problem);
    };
    vcard::VpcdLink link{io, device, options.vpcd_host, options.vpcd_port};
    asio::co_spawn(io, link.run(), fail);
    std::optional<vcard::ControlServer> control;
    if (!options.control.empty()) {
        control.emplace(io, device, options.control);
        asio::co_spawn(io, control->run(), fail);
    }
    io.run();
}

} // namespace

int main(int argc, char** argv)
{
    vcard::Options options;
    CLI::App app{"cps-vcard: a virtual CPS card for the virtual reader vpcd. Its keys are a "
                 "test's; it protects nothing."};
    vcard::declare_options(app, options);
    try {
        app.parse(argc, argv);
        run(options);
        return done;
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? done : wrong_usage;
    } catch (const Error& e) {
        std::cerr << stable_code(e.code()) << ": " << e.what() << '\n';
        return e.code() == Errc::bad_argument ? wrong_usage : refused;
    } catch (const std::exception& e) {
        std::cerr << "internal: " << e.what() << '\n';
        return refused;
    }
}
