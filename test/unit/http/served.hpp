#pragma once

#include "cps/http/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <future>
#include <thread>
#include <utility>

namespace cps::test {

using Answering = std::function<void(http::Request, http::Reply)>;

/// Answers every request with its own method, target and body.
inline void echo(http::Request request, const http::Reply& reply)
{
    http::Response response;
    response.content_type = "text/plain";
    response.body = request.method + ' ' + request.target + ' ' + request.body;
    reply(std::move(response));
}

/// A server on its own thread, on both loopback addresses, for as long as the test lasts.
class Served final : private http::Handler {
public:
    explicit Served(Answering answering = echo, http::Limits limits = {})
        : answering_{std::move(answering)},
          server_{io_, *this, limits},
          port_{server_.listen_loopback(0, 0)},
          thread_{[this] { io_.run(); }}
    {
    }
    ~Served()
    {
        stop();
        work_.reset();
        thread_.join();
    }
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;

    std::uint16_t port() const { return port_; }
    std::thread::native_handle_type thread() { return thread_.native_handle(); }
    void stop()
    {
        on_thread([this] { server_.stop(); });
    }
    std::size_t open_connections()
    {
        return on_thread([this] { return server_.open_connections(); });
    }
    /// Runs `work` where the server runs, and waits for it.
    template <class Work>
    auto on_thread(Work work) -> decltype(work())
    {
        std::packaged_task<decltype(work())()> task{std::move(work)};
        auto done = task.get_future();
        boost::asio::post(io_, std::move(task));
        return done.get();
    }
    http::Server& server() { return server_; }

private:
    void handle(http::Request request, http::Reply reply) override
    {
        answering_(std::move(request), std::move(reply));
    }
    std::string_view language() const override { return "fr"; }

    Answering answering_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        io_.get_executor()};
    http::Server server_;
    std::uint16_t port_;
    std::thread thread_;
};

} // namespace cps::test
