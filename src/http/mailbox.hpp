#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <mutex>
#include <utility>

namespace cps::http {

/// Brings answers from any thread to the server's. Shared by the server and by every Reply
/// that a handler may hold longer than the server lives; closed, it drops what it is given.
class Mailbox {
public:
    explicit Mailbox(boost::asio::io_context& io) : io_{&io} {}

    template <class Work>
    void post(Work&& work)
    {
        const std::scoped_lock lock{mutex_};
        if (io_ != nullptr)
            boost::asio::post(*io_, std::forward<Work>(work));
    }
    void close()
    {
        const std::scoped_lock lock{mutex_};
        io_ = nullptr;
    }

private:
    std::mutex mutex_;
    boost::asio::io_context* io_;
};

} // namespace cps::http
