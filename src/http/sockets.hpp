#pragma once

#include "cps/base/unique_handle.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace cps::http {

/// A listening socket, non-blocking, and where it listens.
struct Listening {
    UniqueFd fd;
    std::uint16_t port = 0;
};

enum class Loopback { v4, v6 };

/// Both throw Error internal with errno. A port that another live socket listens on is never
/// shared; one whose last owner has gone is had at once (SO_REUSEADDR).
Listening listen_on(Loopback family, std::uint16_t port);
Listening listen_on(const std::string& numeric_host, std::uint16_t port);

/// Whether `error` (errno) says that this machine has no such address family or address.
bool means_absent(long error) noexcept;

/// A socket file that we made and take away again, if it still is the one we made.
class LocalSocket {
public:
    /// Mode `mode` from its first moment. A dead socket of that name is replaced; a live one
    /// or anything else is left alone and refused. @throws Error internal with errno.
    LocalSocket(const std::string& path, mode_t mode);
    ~LocalSocket();
    LocalSocket(const LocalSocket&) = delete;
    LocalSocket& operator=(const LocalSocket&) = delete;

    /// The listening socket, once.
    UniqueFd take() noexcept { return std::move(fd_); }

private:
    std::string path_;
    UniqueFd fd_;
    struct stat made_ = {};
};

} // namespace cps::http
