#include "revoke_poster.hpp"

#include "cps/base/child_process.hpp"
#include "cps/base/error.hpp"
#include "cps/base/log.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace cps::agent {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds step{250}; // at most so late a wait hears that the agent ends

bool send_all(int fd, std::string_view octets)
{
    // Far less than a socket's buffer: it does not block.
    while (!octets.empty()) {
        const auto sent = ::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EINTR)
            return false;
        octets.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
    return ::shutdown(fd, SHUT_WR) == 0;
}

} // namespace

RevokePoster::RevokePoster(std::string program)
    : program_{std::move(program)}, thread_{[this] {
          // Signals are the main thread's.
          sigset_t all;
          sigfillset(&all);
          ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
          run();
      }}
{
}

RevokePoster::~RevokePoster()
{
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        last_word_ = steady_clock::now() + farewell;
        wake_.notify_all();
    }
    thread_.join();
}

void RevokePoster::revoke(const std::string& uri, const std::string& token)
{
    const std::scoped_lock lock{mutex_};
    if (waiting_.size() == capacity)
        return log::warning("a portal is not told that a session ended: too many are waiting");
    waiting_.push_back({uri, token});
    wake_.notify_all();
}

bool RevokePoster::idle() const
{
    const std::scoped_lock lock{mutex_};
    return waiting_.empty() && !posting_;
}

void RevokePoster::run()
{
    std::unique_lock lock{mutex_};
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty() || (stopping_ && steady_clock::now() >= last_word_))
            return;
        const auto letter = std::move(waiting_.front());
        waiting_.pop_front();
        posting_ = true;
        lock.unlock();
        try {
            post(letter);
        } catch (const Error& e) {
            log::error(e);
        } catch (const std::exception&) {
            log::error("a portal was not told that a session ended");
        }
        lock.lock();
        posting_ = false;
    }
}

/// For what is under way: sooner once the agent ends.
RevokePoster::Time RevokePoster::deadline()
{
    const std::scoped_lock lock{mutex_};
    return stopping_ ? last_word_ : Time::max();
}

void RevokePoster::post(const Letter& letter)
{
    const ChildProcess poster{program_, {}};
    const auto until = steady_clock::now() + patience;
    // A JWS needs no escape in JSON.
    if (!send_all(poster.fd(), letter.uri + "\n{\"token\":\"" + letter.token + "\"}"))
        return log::warning("a portal was not told that a session ended");
    std::array<char, 16> answer{};
    for (;;) {
        const auto left = ceil<milliseconds>(std::min(until, deadline()) - steady_clock::now());
        if (left.count() <= 0)
            return log::warning("a portal did not answer that a session ended");
        pollfd readable{poster.fd(), POLLIN, 0};
        if (::poll(&readable, 1, static_cast<int>(std::min(left, step).count())) <= 0)
            continue;
        const auto size = ::recv(poster.fd(), answer.data(), answer.size(), MSG_DONTWAIT);
        if (size <= 0 || answer.front() != '2')
            return log::warning("a portal did not take word that a session ended");
        return log::info("a portal was told that a session ended");
    }
}

} // namespace cps::agent
