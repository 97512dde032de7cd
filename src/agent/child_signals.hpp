#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>

namespace cps::agent {

/// Tells that a child process has ended (SIGCHLD). Made before any other thread, so that those
/// inherit a mask and none of their calls is interrupted. On `io`'s thread.
class ChildSignals {
public:
    explicit ChildSignals(boost::asio::io_context& io);
    /// From now on the calling thread gets the signal, and `ended` is called for it.
    void listen(std::function<void()> ended);
    /// So that `io` may come to its end.
    void stop();

private:
    void wait();
    boost::asio::signal_set signals_;
    std::function<void()> ended_;
};

} // namespace cps::agent
