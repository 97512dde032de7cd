#include "service_socket.hpp"

#include "cps/base/error.hpp"

#include <sys/inotify.h>

#include <cerrno>
#include <cstdlib>

namespace cps::pcsc {
namespace {

constexpr auto default_socket = "/run/pcscd/pcscd.comm"; // pcsc-lite's on Debian and Fedora
// IN_ATTRIB: pcscd binds first and opens the mode of its socket afterwards.
constexpr std::uint32_t appearance =
    IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

} // namespace

std::filesystem::path service_socket()
{
    const char* const named = ::secure_getenv("PCSCLITE_CSOCK_NAME");
    return named != nullptr ? named : default_socket;
}

SocketWatch::SocketWatch(const std::filesystem::path& socket)
    : inotify_{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)}
{
    if (!inotify_)
        throw Error{Errc::internal, "no inotify instance left", errno};
    // Bounded by the number of components: the root always exists.
    for (auto at = socket.parent_path();; at = at.parent_path()) {
        if (at.empty())
            at = ".";
        if (::inotify_add_watch(inotify_.get(), at.c_str(), appearance | IN_ONLYDIR) >= 0)
            return;
        if (at == at.parent_path() || at == ".")
            throw Error{Errc::internal, "the smart-card service's folder cannot be watched",
                        errno};
    }
}

} // namespace cps::pcsc
