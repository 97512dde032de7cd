#pragma once

#include "vcard/device.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <string>

namespace cps::vcard {

/// Listens on a Unix socket of its owner's and hands each line to `obey`. Removes the socket
/// when it goes.
class ControlServer {
public:
    /// A socket left behind at `path` is replaced. @throws boost::system::system_error.
    ControlServer(boost::asio::io_context& io, Device& device, std::string path);
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;
    ~ControlServer();
    /// Never returns; ends with the io_context.
    boost::asio::awaitable<void> run();

private:
    Device& device_;
    std::string path_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
};

} // namespace cps::vcard
