#include "pki/directory.hpp"
#include "pki/ocsp_server.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <chrono>
#include <iostream>
#include <string>

namespace {

using namespace cps;

// docs: exit codes of every command-line tool.
constexpr int done = 0;
constexpr int refused = 1;
constexpr int wrong_usage = 2;

EpochSeconds now()
{
    return SystemClock{}.now();
}

/// Midnight: two runs of one day give the same certificates, valid already.
EpochSeconds start_of_today()
{
    return std::chrono::floor<std::chrono::days>(now());
}

struct Options {
    std::string directory;
    std::uint64_t seed = 1;
    long long at = to_number(start_of_today());
    std::string listen = "127.0.0.1:8888";
    std::string host;
    std::string out;
};

void make_new(const Options& options)
{
    pki::write_hierarchy(options.directory, options.seed, epoch_seconds(options.at));
}

void make_crls(const Options& options)
{
    const auto stored = pki::load_hierarchy(options.directory);
    pki::write_crls(options.directory, stored.root, stored.issuing, stored.index, now());
}

void make_server(const Options& options)
{
    const auto stored = pki::load_hierarchy(options.directory);
    pki::write_tls_server(
        options.out, pki::tls_server(stored.tls, stored.seed, start_of_today(), options.host));
}

void serve_ocsp(const Options& options)
{
    const auto stored = pki::load_hierarchy(options.directory);
    const auto colon = options.listen.rfind(':');
    const auto digits =
        std::string_view{options.listen}.substr(colon == std::string::npos ? 0 : colon + 1);
    std::uint16_t port = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (colon == std::string::npos || failure != std::errc{} ||
        end != digits.data() + digits.size())
        throw Error{Errc::bad_argument, "--listen wants HOST:PORT"};

    pki::OcspServer server{options.listen.substr(0, colon), port};
    std::cout << "OCSP=http://" << options.listen.substr(0, colon) << ':' << server.port()
              << std::endl;
    for (;;) // until a signal ends the process
        server.serve_one([&](ByteView request) {
            return pki::ocsp_answer(request, stored.issuing, stored.responder, stored.index,
                                    now());
        });
}

} // namespace

int main(int argc, char** argv)
{
    Options options;
    CLI::App app{"cps-pki: a test hierarchy shaped like IGC-Santé. Nobody in it exists, and "
                 "its keys follow from the seed: never trust it outside a test."};
    app.set_version_flag("--version", CPS_VERSION);
    app.require_subcommand(1);
    const auto folder = [&](CLI::App* command) {
        command->add_option("DIR", options.directory, "the hierarchy's folder")->required();
        return command;
    };

    auto* make = folder(app.add_subcommand("new", "make a hierarchy with its cards"));
    make->add_option("--seed", options.seed, "what every key follows from")->required();
    make->add_option("--at", options.at, "first second of the certificates (default: today)");
    make->callback([&] { make_new(options); });

    auto* crl = folder(app.add_subcommand("crl", "make fresh CRLs"));
    crl->callback([&] { make_crls(options); });

    auto* ocsp = folder(app.add_subcommand("ocsp", "answer OCSP over HTTP until stopped"));
    ocsp->add_option("--listen", options.listen, "HOST:PORT, port 0 for any free one");
    ocsp->callback([&] { serve_ocsp(options); });

    auto* server = folder(app.add_subcommand("server", "issue a TLS server certificate"));
    server->add_option("--host", options.host, "DNS name or address")->required();
    server->add_option("--out", options.out, "folder for server.key, server.pem")->required();
    server->callback([&] { make_server(options); });

    try {
        app.parse(argc, argv);
        return done;
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? done : wrong_usage;
    } catch (const Error& e) {
        std::cerr << stable_code(e.code()) << ": " << e.what() << '\n';
        return e.code() == Errc::bad_argument ? wrong_usage : refused;
    } catch (const std::exception&) {
        std::cerr << "internal: the hierarchy cannot be made here\n";
        return refused;
    }
}
