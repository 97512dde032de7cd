#include "child_signals.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <doctest/doctest.h>

#include <csignal>

using namespace cps::agent;
using namespace std::chrono_literals;

TEST_SUITE("agent")
{
    TEST_CASE("a child that ends while the agent stops does not keep it from its end")
    {
        boost::asio::io_context io;
        ChildSignals children{io};
        unsigned heard = 0;
        children.listen([&] { ++heard; });
        boost::asio::signal_set end{io, SIGUSR1};
        end.async_wait([&](const auto&, int) { children.stop(); });

        std::raise(SIGUSR1);
        std::raise(SIGCHLD); // taken in the same turn as the other, and not cancelled by it
        io.run_for(5s);

        CHECK(io.stopped());
        CHECK(heard == 0);
    }
}
