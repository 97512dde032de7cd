#pragma once

#include "cps/http/server.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace cps::test {

inline const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

inline http::Limits quick()
{
    http::Limits limits;
    limits.header_time = std::chrono::seconds{1};
    limits.silent_time = std::chrono::seconds{1};
    limits.answer_time = std::chrono::seconds{1};
    return limits;
}

/// Keeps replies for later.
class Shelf {
public:
    void operator()(http::Request request, http::Reply reply)
    {
        const std::scoped_lock lock{mutex_};
        requests_.push_back(std::move(request));
        replies_.push_back(std::move(reply));
    }
    bool wait_for(std::size_t count)
    {
        for (int i = 0; i != 500; ++i) {
            {
                const std::scoped_lock lock{mutex_};
                if (replies_.size() >= count)
                    return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
        return false;
    }
    http::Reply take(std::size_t i)
    {
        const std::scoped_lock lock{mutex_};
        return std::exchange(replies_.at(i), {});
    }
    http::Request request(std::size_t i)
    {
        const std::scoped_lock lock{mutex_};
        return requests_.at(i);
    }

private:
    std::mutex mutex_;
    std::vector<http::Request> requests_;
    std::vector<http::Reply> replies_;
};

inline http::Response text(std::string body)
{
    return {200, "text/plain", {}, std::move(body)};
}

} // namespace cps::test
