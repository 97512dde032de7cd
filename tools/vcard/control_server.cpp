#include "vcard/control_server.hpp"

#include "vcard/control_line.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <filesystem>

namespace cps::vcard {

namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t max_line = 256; // octets; the longest order has about 20

std::string freed(std::string path)
{
    std::error_code ignored;
    if (std::filesystem::is_socket(path, ignored))
        std::filesystem::remove(path, ignored);
    return path;
}

asio::awaitable<void> serve(Socket socket, Device& device)
{
    std::string input;
    for (;;) {
        const auto [failure, size] = co_await asio::async_read_until(
            socket, asio::dynamic_buffer(input, max_line), '\n', no_throw);
        if (failure)
            co_return;
        const auto reply = obey(device, std::string_view{input}.substr(0, size - 1)) + '\n';
        input.erase(0, size);
        const auto [broken, count] =
            co_await asio::async_write(socket, asio::buffer(reply), no_throw);
        if (broken)
            co_return;
    }
}

} // namespace

ControlServer::ControlServer(asio::io_context& io, Device& device, std::string path)
    : device_{device},
      path_{freed(std::move(path))},
      acceptor_{io, asio::local::stream_protocol::endpoint{path_}}
{
}

ControlServer::~ControlServer()
{
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

asio::awaitable<void> ControlServer::run()
{
    for (;;) {
        auto [failure, socket] = co_await acceptor_.async_accept(no_throw);
        if (failure)
            co_return;
        asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket), device_),
                       asio::detached);
    }
}

} // namespace cps::vcard
