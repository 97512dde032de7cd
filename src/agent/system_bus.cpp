#include "system_bus.hpp"

#include "cps/base/error.hpp"
#include "cps/base/log.hpp"

#include <boost/asio/post.hpp>

#include <systemd/sd-bus.h>

#include <poll.h>

#include <algorithm>
#include <cstdint>

namespace cps::agent {
namespace {

using boost::asio::posix::stream_descriptor;
using std::chrono::microseconds;
using std::chrono::steady_clock;

// Messages taken at one wake-up, so that HTTP has its turn.
constexpr int max_steps = 32;

} // namespace

void SystemBus::Close::operator()(sd_bus* bus) const noexcept
{
    sd_bus_close(bus); // without a flush: nothing that waits is worth blocking for
    sd_bus_unref(bus);
}

SystemBus::SystemBus(boost::asio::io_context& io, Hooks hooks)
    : io_{io}, hooks_{std::move(hooks)}, descriptor_{io}, answer_timer_{io}, retry_timer_{io}
{
}

SystemBus::~SystemBus()
{
    stop();
}

void SystemBus::start()
{
    if (bus_ || stopped_)
        return;
    retry_timer_.cancel();
    sd_bus* opened = nullptr;
    if (const int failure = sd_bus_open_system(&opened); failure < 0)
        return lose(failure);
    bus_.reset(opened);
    ++connection_;
    since_ = steady_clock::now();
    sd_bus_set_method_call_timeout(bus_.get(),
                                   static_cast<std::uint64_t>(microseconds{call_time}.count()));
    boost::system::error_code failure;
    descriptor_.assign(sd_bus_get_fd(bus_.get()), failure);
    if (failure)
        return lose(-failure.value());
    hooks_.opened(bus_.get());
    flush();
}

void SystemBus::stop()
{
    stopped_ = true;
    retry_timer_.cancel();
    let_go();
}

void SystemBus::let_go() noexcept
{
    if (descriptor_.is_open())
        static_cast<void>(descriptor_.release()); // sd_bus closes it
    answer_timer_.cancel();
    reading_ = writing_ = false;
    ++connection_;
    bus_.reset();
}

void SystemBus::lose(int why)
{
    log::write(log::Level::info, Error{Errc::internal, "the system bus is not there", -why});
    let_go();
    if (ever_ready_ && !stopped_) {
        if (steady_clock::now() - since_ > longest_delay)
            delay_ = first_delay;
        retry_timer_.expires_after(delay_);
        retry_timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error)
                start();
        });
        delay_ = std::min(2 * delay_, longest_delay);
    }
    if (!stopped_)
        hooks_.lost();
}

void SystemBus::flush()
{
    boost::asio::post(io_, [this, connection = connection_] {
        if (connection == connection_)
            drive();
    });
}

void SystemBus::drive()
{
    for (int step = 0; step != max_steps; ++step) {
        const auto connection = connection_;
        const int done = sd_bus_process(bus_.get(), nullptr);
        if (connection != connection_)
            return; // a handler of ours let it go
        if (done < 0)
            return lose(done);
        ever_ready_ = ever_ready_ || sd_bus_is_ready(bus_.get()) > 0;
        if (done == 0)
            return wait();
    }
    flush();
}

void SystemBus::wait()
{
    const int events = sd_bus_get_events(bus_.get());
    if (events < 0)
        return lose(events);
    if ((events & POLLIN) != 0)
        watch(stream_descriptor::wait_read, reading_);
    if ((events & POLLOUT) != 0)
        watch(stream_descriptor::wait_write, writing_);
    std::uint64_t until = UINT64_MAX;
    if (sd_bus_get_timeout(bus_.get(), &until) < 0 || until == UINT64_MAX)
        return static_cast<void>(answer_timer_.cancel());
    // Both clocks are CLOCK_MONOTONIC.
    answer_timer_.expires_at(
        steady_clock::time_point{microseconds{static_cast<std::int64_t>(until)}});
    answer_timer_.async_wait(
        [this, connection = connection_](const boost::system::error_code& error) {
            if (!error && connection == connection_)
                drive();
        });
}

void SystemBus::watch(stream_descriptor::wait_type what, bool& watching)
{
    if (std::exchange(watching, true))
        return;
    descriptor_.async_wait(
        what, [this, &watching, connection = connection_](const boost::system::error_code&) {
            if (connection != connection_)
                return;
            watching = false;
            drive(); // what is wrong, sd_bus finds out itself
        });
}

} // namespace cps::agent
