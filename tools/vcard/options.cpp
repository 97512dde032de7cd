#include "vcard/options.hpp"

#include <map>

namespace cps::vcard {

namespace {

void split_endpoint(const std::string& text, Options& options)
{
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
        throw CLI::ValidationError{"--vpcd", "wants HOST:PORT"};
    options.vpcd_host = text.substr(0, colon);
    options.vpcd_port = text.substr(colon + 1);
}

} // namespace

void declare_options(CLI::App& app, Options& options)
{
    app.set_version_flag("--version", CPS_VERSION);
    app.add_option("--card", options.card, "a card directory of cps-pki")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_option_function<std::string>(
        "--vpcd", [&options](const std::string& text) { split_endpoint(text, options); },
        "HOST:PORT of the virtual reader (127.0.0.1:35963)");
    app.add_option("--pin", options.pin, "the card's first PIN, for tests (1234)");
    app.add_option("--puk", options.puk, "the card's PUK, for tests (12345678)");
    app.add_option("--state", options.state, "keeps codes and counters between runs");
    app.add_option("--apdu-log", options.apdu_log, "appends every exchange");
    app.add_option("--control", options.control, "Unix socket for orders and faults");
    const std::map<std::string, Timing> timings{{"none", Timing::none}, {"cps3", Timing::cps3}};
    app.add_option("--timing", options.timing, "cps3: as slow as a real card (none)")
        ->transform(CLI::CheckedTransformer{timings})
        ->option_text("none|cps3");
}

} // namespace cps::vcard
