#pragma once

#include "vcard/timing.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace cps::vcard {

struct Options {
    std::string card;
    std::string vpcd_host = "127.0.0.1";
    std::string vpcd_port = "35963";
    std::string pin = "1234";
    std::string puk = "12345678";
    std::string state;
    std::string apdu_log;
    std::string control;
    Timing timing = Timing::none;
};

/// Declares cps-vcard's command line in `app`; parsing fills `options`, which outlives `app`.
void declare_options(CLI::App& app, Options& options);

} // namespace cps::vcard
