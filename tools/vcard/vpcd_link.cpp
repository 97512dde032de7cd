#include "vcard/vpcd_link.hpp"

#include "vcard/tlv.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace cps::vcard {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr auto retry_interval = 100ms; // vpcd itself looks every 400 ms
constexpr auto mute_interval = 20ms;
constexpr auto while_removed = 24h; // insertion ends it
constexpr std::uint8_t control_get_atr = 4;

} // namespace

VpcdLink::VpcdLink(asio::io_context& io, Device& device, std::string host, std::string port)
    : device_{device},
      host_{std::move(host)},
      port_{std::move(port)},
      resolver_{io},
      socket_{io},
      timer_{io}
{
    device_.on_change([this] { device_changed(); });
}

asio::awaitable<void> VpcdLink::run()
{
    for (;;) {
        if (!device_.inserted()) {
            co_await wait(while_removed);
            continue;
        }
        if (co_await connect() && device_.inserted()) {
            device_.set_connected(true);
            co_await serve();
        }
        boost::system::error_code ignored;
        socket_.close(ignored);
        device_.set_connected(false);
        co_await wait(retry_interval);
    }
}

asio::awaitable<bool> VpcdLink::connect()
{
    const auto [no_name, endpoints] = co_await resolver_.async_resolve(host_, port_, no_throw);
    if (no_name)
        co_return false;
    const auto [refused, endpoint] = co_await asio::async_connect(socket_, endpoints, no_throw);
    boost::system::error_code ignored;
    // Where nobody listens, TCP may connect a port of the ephemeral range to itself.
    if (refused || socket_.local_endpoint(ignored) == endpoint)
        co_return false;
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    co_return true;
}

asio::awaitable<void> VpcdLink::serve()
{
    for (;;) {
        const auto message = co_await read_message();
        if (message.empty() || !co_await answer(message))
            co_return;
    }
}

asio::awaitable<bool> VpcdLink::answer(ByteView message)
{
    if (message.size() == 1) {
        if (message[0] == control_get_atr)
            co_return co_await write_message(device_.atr());
        device_.control_power(message[0]);
        co_return true;
    }
    const auto [response, delay] = device_.exchange(message);
    if (delay.count() != 0)
        co_await wait(delay);
    co_await wait_while_mute();
    co_return co_await write_message(response);
}

asio::awaitable<Bytes> VpcdLink::read_message()
{
    Bytes length(2);
    if (!co_await fill(length))
        co_return Bytes{};
    Bytes message((std::size_t{length[0]} << 8) | length[1]);
    if (!co_await fill(message))
        co_return Bytes{};
    co_return message;
}

asio::awaitable<bool> VpcdLink::fill(Bytes& buffer)
{
    for (std::size_t filled = 0; filled != buffer.size();) {
        const auto rest = asio::buffer(buffer) + filled;
        const auto [failure, count] = co_await socket_.async_read_some(rest, no_throw);
        if (failure)
            co_return false;
        filled += count;
        // vpcd writes the length and the message apart and its kernel waits for our
        // acknowledgement in between: 40 ms a command unless we ask each time (2023-11).
        const int yes = 1;
        ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
    }
    co_return true;
}

asio::awaitable<bool> VpcdLink::write_message(ByteView message)
{
    const Bytes length{static_cast<std::uint8_t>(message.size() >> 8),
                       static_cast<std::uint8_t>(message.size() & 0xFFU)};
    const auto frame = join(length, message);
    const auto [failure, count] =
        co_await asio::async_write(socket_, asio::buffer(frame), no_throw);
    co_return !failure;
}

asio::awaitable<void> VpcdLink::wait(std::chrono::steady_clock::duration time)
{
    timer_.expires_after(time);
    co_await timer_.async_wait(no_throw);
}

asio::awaitable<void> VpcdLink::wait_while_mute()
{
    while (device_.mute() && socket_.is_open() && !peer_is_gone())
        co_await wait(mute_interval);
}

bool VpcdLink::peer_is_gone()
{
    std::uint8_t octet = 0;
    return ::recv(socket_.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void VpcdLink::device_changed()
{
    if (!device_.inserted()) {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    timer_.cancel();
}

} // namespace cps::vcard
