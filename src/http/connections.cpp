#include "connections.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <vector>

namespace cps::http {
namespace {

// Sockets of one kind beyond the limit that are kept for a moment to say 503 on; more than
// that are closed without a word.
constexpr std::size_t over_limit_room = 8;

} // namespace

Connections::Connections(boost::asio::io_context& io, Handler& handler, const Limits& limits)
    : io_{io}, handler_{handler}, limits_{limits}, mailbox_{std::make_shared<Mailbox>(io)}
{
}

Connections::~Connections()
{
    mailbox_->close();
    close_all();
}

std::size_t Connections::count(bool local, bool over_limit) const
{
    return static_cast<std::size_t>(std::ranges::count_if(open_, [&](const auto& entry) {
        return entry.second->local() == local && entry.second->over_limit() == over_limit;
    }));
}

void Connections::admit(UniqueFd fd, Peer peer)
{
    const bool full = count(peer.local, false) >= limits_.connections && !make_room(peer.local);
    if (full && count(peer.local, true) >= over_limit_room)
        return;

    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0)
        return;
    Socket socket{io_.get_executor()};
    boost::system::error_code ec;
    socket.assign({name.ss_family, 0}, fd.get(), ec);
    if (ec)
        return;
    static_cast<void>(fd.release());
    const auto connection = std::make_shared<Connection>(*this, std::move(socket), peer, full);
    open_.emplace(connection.get(), connection);
    connection->start();
}

bool Connections::make_room(bool local)
{
    std::shared_ptr<Connection> longest;
    for (const auto& [key, each] : open_) {
        const auto since = each->silent_since();
        if (since && each->local() == local && !each->over_limit() &&
            (!longest || *since < *longest->silent_since()))
            longest = each;
    }
    if (longest)
        longest->close();
    return longest != nullptr;
}

void Connections::forget(const Connection& connection) noexcept
{
    open_.erase(&connection);
}

void Connections::close_all() noexcept
{
    while (!open_.empty()) {
        const auto connection = open_.begin()->second;
        connection->say_farewell();
        connection->close();
    }
}

} // namespace cps::http
