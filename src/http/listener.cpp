#include "listener.hpp"

#include "cps/base/log.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace cps::http {
namespace {

// Connections taken at one wake-up, so that a flood of them leaves the others their turn.
constexpr int max_accepts = 16;
// Between two tries while the process has no descriptor or memory for a connection: short for
// a person, long for a processor.
constexpr std::chrono::milliseconds rest_time{100};

bool somebody_waits(int fd)
{
    pollfd one{fd, POLLIN, 0};
    return poll(&one, 1, 0) > 0;
}

} // namespace

Listener::Listener(boost::asio::io_context& io, UniqueFd fd, Doorway doorway)
    : fd_{io.get_executor(), fd.get()}, timer_{io.get_executor()}, doorway_{std::move(doorway)}
{
    static_cast<void>(fd.release());
}

void Listener::start()
{
    wait();
}

void Listener::close() noexcept
{
    boost::system::error_code ignored;
    fd_.close(ignored);
    try {
        timer_.cancel();
    } catch (const std::exception&) {
        log::error("a listener's timer could not be stopped");
    }
}

void Listener::wait()
{
    fd_.async_wait(decltype(fd_)::wait_read,
                   [self = shared_from_this()](const boost::system::error_code& ec) {
                       if (!self->fd_.is_open())
                           return;
                       const auto next = ec ? Next::rest : self->accept_some();
                       if (!self->fd_.is_open())
                           return;
                       switch (next) {
                       case Next::wait: return self->wait();
                       case Next::rest: return self->rest();
                       }
                   });
}

void Listener::rest()
{
    timer_.expires_after(rest_time);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
        if (!ec && self->fd_.is_open())
            self->wait();
    });
}

Listener::Next Listener::accept_some()
{
    for (int i = 0; i != max_accepts && fd_.is_open(); ++i) {
        UniqueFd accepted{
            accept4(fd_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
        const int error = errno;
        try {
            if (accepted) {
                doorway_.admit(std::move(accepted));
                continue;
            }
            switch (error) {
            case EAGAIN: return Next::wait;
            // What befell one connection says nothing about the next (accept(2)).
            case ECONNABORTED:
            case EINTR:
            case ENETDOWN:
            case EPROTO:
            case ENOPROTOOPT:
            case EHOSTDOWN:
            case ENONET:
            case EHOSTUNREACH:
            case EOPNOTSUPP:
            case ENETUNREACH:
            case EPERM: continue;
            case EMFILE:
            case ENFILE:
                // Said even when nobody waits, and nobody shall be let go for that.
                if (!somebody_waits(fd_.native_handle()))
                    return Next::wait;
                log::warning("no descriptor is left for a new connection");
                doorway_.make_room();
                return Next::rest;
            default: log::warning("a connection could not be accepted"); return Next::rest;
            }
        } catch (...) {
            log::error("a new connection is dropped after an exception");
        }
    }
    return Next::wait;
}

} // namespace cps::http
