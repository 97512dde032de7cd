#include "broker_link.hpp"

#include "cps/base/error.hpp"
#include "cps/base/log.hpp"
#include "cps/base/peer_user.hpp"
#include "cps/broker/protocol.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cps::agent {
namespace {

// systemd starts the broker at the first connection: a slow machine at boot.
constexpr std::chrono::seconds start_time{10};
// Between two tries to find a broker again that has gone.
constexpr std::chrono::milliseconds first_pause{200};
constexpr std::chrono::milliseconds longest_pause{30'000};
// Connections taken at one wake-up.
constexpr int max_received = 16;

/// Connected, not yet registered. @throws Error internal with errno.
UniqueFd connect_to(const std::filesystem::path& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto& text = path.native();
    if (text.size() >= sizeof address.sun_path)
        throw Error{Errc::internal, "the broker's path is too long", ENAMETOOLONG};
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd ||
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw Error{Errc::internal, "the broker cannot be reached", errno};
    // Who listens there (unix(7)): systemd, for the broker; or a developer's own.
    const auto user = local_peer_user(fd.get());
    if (!user || (*user != 0 && *user != ::geteuid()))
        throw Error{Errc::internal, "the broker's socket is another user's"};
    return fd;
}

/// The port, once the broker has answered. @throws Error internal.
std::uint16_t read_greeting(int fd)
{
    broker::Greeting greeting;
    if (::recv(fd, &greeting, sizeof greeting, MSG_DONTWAIT) != sizeof greeting)
        throw Error{Errc::internal, "the broker closes without a word", errno};
    if (greeting.version != broker::Greeting{}.version || greeting.port == 0)
        throw Error{Errc::internal, "the broker is of another version"};
    switch (greeting.verdict) {
    case broker::Verdict::registered: return greeting.port;
    case broker::Verdict::taken:
        throw Error{Errc::internal, "another agent of this user is at the broker"};
    case broker::Verdict::full: break;
    }
    throw Error{Errc::internal, "the broker takes no more agents"};
}

struct Received {
    enum class What { nothing, connection, end } what = What::end;
    UniqueFd connection{};
};

/// One octet of the broker's and what came with it.
Received receive_one(int broker)
{
    char octet = 0;
    iovec body{&octet, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto size = ::recvmsg(broker, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return {Received::What::nothing, {}};
    Received received;
    for (auto* part = CMSG_FIRSTHDR(&message); size == 1 && part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
            part->cmsg_len != CMSG_LEN(sizeof(int)))
            continue;
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
        received.connection = UniqueFd{fd};
    }
    // Without a descriptor: we had none left for it, and the kernel has closed it.
    if (size == 1 && octet == broker::passed)
        received.what = Received::What::connection;
    return received;
}

} // namespace

std::filesystem::path broker_socket(const Config& config)
{
    if (config.broker == "off")
        return {};
    if (config.broker != "auto")
        return config.broker;
    std::error_code ec;
    const bool there = std::filesystem::is_socket(broker::default_socket, ec);
    return there ? broker::default_socket : "";
}

BrokerLink::BrokerLink(boost::asio::io_context& io, std::filesystem::path socket, Adopt adopt)
    : socket_{std::move(socket)}, adopt_{std::move(adopt)}, broker_{io}, timer_{io}
{
}

std::uint16_t BrokerLink::start()
{
    auto fd = connect_to(socket_);
    pollfd one{fd.get(), POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(std::chrono::milliseconds{start_time}.count())) != 1)
        throw Error{Errc::internal, "the broker does not answer", ETIMEDOUT};
    port_ = read_greeting(fd.get());
    broker_.assign(fd.release());
    listen();
    return port_;
}

void BrokerLink::stop() noexcept
{
    stopped_ = true;
    boost::system::error_code ignored;
    broker_.close(ignored);
    try {
        timer_.cancel();
    } catch (const std::exception&) {
        log::error("the broker's timer could not be stopped");
    }
}

void BrokerLink::listen()
{
    broker_.async_wait(decltype(broker_)::wait_read,
                       [this](const boost::system::error_code& ec) {
                           if (!ec && !stopped_)
                               receive();
                       });
}

void BrokerLink::receive()
{
    for (int i = 0; i != max_received; ++i) {
        auto received = receive_one(broker_.native_handle());
        switch (received.what) {
        case Received::What::nothing: return listen();
        case Received::What::end: return lost();
        case Received::What::connection: break;
        }
        if (received.connection)
            adopt_(std::move(received.connection));
        else
            log::warning("no descriptor is left for a connection from the broker");
        const char answer = broker::received;
        if (::send(broker_.native_handle(), &answer, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
            return lost();
    }
    listen();
}

/// No polling: while systemd holds the broker's socket, the first try connects and the rest is
/// waiting. The pauses are for a broker that was taken away or turns us down.
void BrokerLink::lost()
{
    boost::system::error_code ignored;
    broker_.close(ignored);
    if (pause_ == std::chrono::milliseconds{0})
        log::warning("the broker has gone; trying to find it again");
    pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    timer_.expires_after(pause_);
    timer_.async_wait([this](const boost::system::error_code& ec) {
        if (!ec && !stopped_)
            connect_again();
    });
}

void BrokerLink::connect_again()
try {
    broker_.assign(connect_to(socket_).release());
    broker_.async_wait(decltype(broker_)::wait_read,
                       [this](const boost::system::error_code& ec) {
                           if (!ec && !stopped_)
                               greeted();
                       });
} catch (const Error& e) {
    log::write(log::Level::info, e);
    lost();
}

void BrokerLink::greeted()
try {
    if (read_greeting(broker_.native_handle()) != port_)
        throw Error{Errc::internal, "the broker has another port now: restart this agent"};
    pause_ = std::chrono::milliseconds{0};
    log::notice("registered at the broker again");
    listen();
} catch (const Error& e) {
    log::error(e);
    lost();
}

} // namespace cps::agent
