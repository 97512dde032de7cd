#pragma once

#include "config.hpp"

#include "cps/base/unique_handle.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>

namespace cps::agent {

/// The broker's socket by the configuration; empty where we shall hold a port ourselves.
std::filesystem::path broker_socket(const Config& config);

/// The agent's place at cps-agent-broker, which holds the TCP port for everybody on the
/// machine: connections of our own user come over it. A broker that restarts is found again.
/// Thread: the io_context's.
class BrokerLink {
public:
    using Adopt = std::function<void(UniqueFd)>;
    /// @param adopt gets each connection, accepted, its peer still to be looked up.
    BrokerLink(boost::asio::io_context& io, std::filesystem::path socket, Adopt adopt);

    /// Registers, waiting for the broker to start if it must, and returns its TCP port.
    /// @throws Error internal: none there, not root's, another agent of ours is registered.
    std::uint16_t start();
    /// Idempotent.
    void stop() noexcept;

private:
    void listen();
    void receive();
    void lost();
    void connect_again();
    void greeted();

    std::filesystem::path socket_;
    Adopt adopt_;
    boost::asio::posix::stream_descriptor broker_;
    boost::asio::steady_timer timer_;
    std::chrono::milliseconds pause_{0};
    std::uint16_t port_ = 0;
    bool stopped_ = false;
};

} // namespace cps::agent
