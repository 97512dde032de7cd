#pragma once

#include "vcard/device.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <string>

namespace cps::vcard {

/// Puts a device into a slot of vpcd, the virtual reader (vsmartcard): TCP, two-octet
/// big-endian lengths both ways; a message of one octet is a control. While the card is
/// inserted it connects again whenever the link is gone, so pcscd may restart.
class VpcdLink {
public:
    /// Takes over `device.on_change`; `device` outlives the link.
    VpcdLink(boost::asio::io_context& io, Device& device, std::string host, std::string port);
    /// Never returns; ends with the io_context.
    boost::asio::awaitable<void> run();

private:
    boost::asio::awaitable<bool> connect();
    boost::asio::awaitable<void> serve();
    /// @return empty when the link is gone.
    boost::asio::awaitable<Bytes> read_message();
    boost::asio::awaitable<bool> write_message(ByteView message);
    boost::asio::awaitable<bool> answer(ByteView message);
    boost::asio::awaitable<bool> fill(Bytes& buffer);
    /// @return early when the device changed.
    boost::asio::awaitable<void> wait(std::chrono::steady_clock::duration time);
    boost::asio::awaitable<void> wait_while_mute();
    bool peer_is_gone();
    void device_changed();

    Device& device_;
    std::string host_;
    std::string port_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer timer_;
};

} // namespace cps::vcard
