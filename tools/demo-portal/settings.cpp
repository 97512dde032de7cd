#include "settings.hpp"

#include <CLI/CLI.hpp>

#include <charconv>

namespace cps::portal {
namespace {

constexpr int wrong_usage = 2;
/// The authentication policy of cps-pki's hierarchy; real cards want their own with --policy.
constexpr std::string_view default_policy = "1.2.250.1.213.1.7.2.1.1.1.2";

std::optional<std::uint16_t> port_number(std::string_view text)
{
    std::uint16_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, number);
    if (text.empty() || failure != std::errc{} || stopped != end)
        return std::nullopt;
    return number;
}

template <class T>
auto parsed(const char* complaint)
{
    return [complaint](const std::string& text) -> std::string {
        return T::parse(text) ? std::string{} : std::string{complaint};
    };
}

} // namespace

std::optional<AgentPorts> AgentPorts::parse(std::string_view text)
{
    const auto dash = text.find('-');
    const auto first = port_number(text.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : port_number(text.substr(dash + 1));
    if (!first || !last || *first == 0 || *last < *first || *last - *first >= most)
        return std::nullopt;
    return AgentPorts{*first, *last};
}

std::string AgentPorts::str() const
{
    return std::to_string(first) + "-" + std::to_string(last);
}

std::optional<ListenAddress> ListenAddress::parse(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    const auto host = text.substr(0, colon);
    const auto port = port_number(text.substr(colon + 1));
    if (!port || (host != "127.0.0.1" && host != "[::1]"))
        return std::nullopt;
    return ListenAddress{host == "[::1]" ? "::1" : "127.0.0.1", *port};
}

CommandLine read_command_line(int argc, char** argv)
{
    CommandLine line;
    std::string trust, accounts, web, origin, listen = "127.0.0.1:0", ports;
    CLI::App app{"cps-demo-portal: a small portal whose feature Infopatient wants the card. "
                 "Its patients are fictitious."};
    app.set_version_flag("--version", CPS_VERSION);
    app.set_config("--config", "", "TOML file with the options below, without dashes");
    app.add_option("--trust", trust, "PEM: the issuing CAs of the cards");
    app.add_option("--accounts", accounts, "TOML: accounts.toml tells its form");
    app.add_option("--listen", listen, "127.0.0.1:PORT or [::1]:PORT; port 0 for any")
        ->check(parsed<ListenAddress>("not a loopback address and port"));
    app.add_option("--origin", origin, "what browsers see (default: http on --listen)")
        ->check(parsed<token::Origin>("not an origin: https://host[:port]"));
    app.add_option("--agent-ports,--agent-port", ports, "N or FIRST-LAST (27743-27762)")
        ->check(parsed<AgentPorts>("not a port or a range of at most 64"));
    app.add_option("--policy", line.settings.policies,
                   "certificate policies that a card may carry (dotted)");
    app.add_option("--web", web, "page files instead of those built in");
    app.add_flag("--hash-password", line.hash_password,
                 "read a password on standard input, print its hash for the accounts file");
    try {
        app.parse(argc, argv);
        if (!line.hash_password && (trust.empty() || accounts.empty()))
            throw CLI::RequiredError{"--trust and --accounts"};
    } catch (const CLI::ParseError& e) {
        line.exit_code = app.exit(e) == 0 ? 0 : wrong_usage;
        return line;
    }

    auto& settings = line.settings;
    settings.trust = trust;
    settings.accounts = accounts;
    settings.listen = ListenAddress::parse(listen).value();
    settings.origin = token::Origin::parse(origin);
    settings.agent_ports = AgentPorts::parse(ports).value_or(AgentPorts{});
    if (settings.policies.empty())
        settings.policies.emplace_back(default_policy);
    if (!web.empty())
        settings.web = web;
    return line;
}

} // namespace cps::portal
