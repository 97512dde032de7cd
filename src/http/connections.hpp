#pragma once

#include "connection.hpp"

#include "cps/base/unique_handle.hpp"
#include "cps/http/server.hpp"
#include "mailbox.hpp"

#include <memory>
#include <unordered_map>

namespace cps::http {

/// The open connections of one server, and who may join them. Server's thread only.
class Connections {
public:
    Connections(boost::asio::io_context& io, Handler& handler, const Limits& limits);
    ~Connections();
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    /// Takes an accepted stream socket over. TCP and Unix connections are counted apart, so
    /// that web pages cannot lock the person's own tools out.
    void admit(UniqueFd fd, Peer peer);
    /// Lets the longest silent connection go, if there is one.
    bool make_room(bool local);
    void forget(const Connection& connection) noexcept;
    void close_all() noexcept;
    std::size_t size() const noexcept { return open_.size(); }

    Handler& handler() const noexcept { return handler_; }
    const Limits& limits() const noexcept { return limits_; }
    const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }

private:
    std::size_t count(bool local, bool over_limit) const;

    boost::asio::io_context& io_;
    Handler& handler_;
    const Limits limits_;
    std::shared_ptr<Mailbox> mailbox_; // shared with the replies still to come
    std::unordered_map<const Connection*, std::shared_ptr<Connection>> open_;
};

} // namespace cps::http
