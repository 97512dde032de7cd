#pragma once

#include "cps/base/unique_handle.hpp"

#include <filesystem>

namespace cps::pcsc {

/// Where pcscd listens: PCSCLITE_CSOCK_NAME, else the path that pcsc-lite was built with.
std::filesystem::path service_socket();

/// Becomes readable when something appears in the socket's directory or, while that does
/// not exist, in its nearest ancestor that does. Make a new one after each event, *before*
/// looking whether the service answers, so that no appearance falls between.
class SocketWatch {
public:
    /// @throws Error internal when the kernel has no inotify instance left.
    explicit SocketWatch(const std::filesystem::path& socket);
    int fd() const noexcept { return inotify_.get(); }

private:
    UniqueFd inotify_;
};

} // namespace cps::pcsc
