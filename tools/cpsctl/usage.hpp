#pragma once

#include <stdexcept>

namespace cps::ctl {

/// The command line asks for what cannot be: told in words, exit code 2.
class WrongUsage final : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

} // namespace cps::ctl
