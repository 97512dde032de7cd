#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

struct sd_bus;

namespace cps::agent {

/// A connection to D-Bus's system bus that lives on `io`'s thread and costs no wake-up while
/// nothing is said. A machine without a bus is asked once; a bus that was there and went is
/// looked for again, after 1 s and then ever more seldom.
class SystemBus {
public:
    static constexpr std::chrono::seconds first_delay{1};
    static constexpr std::chrono::seconds longest_delay{64}; // between two tries, for good
    static constexpr std::chrono::seconds call_time{5};      // for one answer

    struct Hooks {
        std::function<void(sd_bus*)> opened; ///< install matches, send calls; they may wait
        std::function<void()> lost;          ///< or never reached; the sd_bus is gone
    };

    SystemBus(boost::asio::io_context& io, Hooks hooks);
    ~SystemBus();
    SystemBus(const SystemBus&) = delete;
    SystemBus& operator=(const SystemBus&) = delete;

    /// Connects, unless it is connected.
    void start();
    /// So that `io` may come to its end. No hook is called any more.
    void stop();
    /// Null while not connected.
    sd_bus* get() const noexcept { return bus_.get(); }
    /// After calls that were sent from elsewhere than a handler of the bus.
    void flush();

private:
    struct Close {
        void operator()(sd_bus* bus) const noexcept;
    };
    void drive();
    void wait();
    void watch(boost::asio::posix::stream_descriptor::wait_type what, bool& watching);
    void lose(int why);
    void let_go() noexcept;

    boost::asio::io_context& io_;
    const Hooks hooks_;
    boost::asio::posix::stream_descriptor descriptor_; ///< the bus's own: released, not closed
    boost::asio::steady_timer answer_timer_;
    boost::asio::steady_timer retry_timer_;
    std::unique_ptr<sd_bus, Close> bus_;
    bool reading_ = false;
    bool writing_ = false;
    bool ever_ready_ = false;
    bool stopped_ = false;
    unsigned connection_ = 0; ///< counts: what was waited for on an older one is not heard
    std::chrono::seconds delay_ = first_delay;
    std::chrono::steady_clock::time_point since_{};
};

} // namespace cps::agent
