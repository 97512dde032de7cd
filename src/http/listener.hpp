#pragma once

#include "connection.hpp"

#include "cps/base/unique_handle.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <functional>
#include <memory>

namespace cps::http {

/// What a listener does with the sockets that it accepts.
struct Doorway {
    std::function<void(UniqueFd)> admit;
    std::function<void()> make_room; ///< the process has no descriptor left
};

/// Accepts on one socket. Kept by its own pending wait until `close`. Server's thread only.
class Listener final : public std::enable_shared_from_this<Listener> {
public:
    Listener(boost::asio::io_context& io, UniqueFd fd, Doorway doorway);

    void start();
    /// Idempotent. `doorway` is not looked at afterwards.
    void close() noexcept;

private:
    enum class Next { wait, rest };

    void wait();
    void rest();
    Next accept_some();

    boost::asio::posix::basic_stream_descriptor<Executor> fd_;
    Timer timer_;
    Doorway doorway_;
};

} // namespace cps::http
