#include "cps/base/error.hpp"
#include "cps/pcsc/worker.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>

using namespace cps;
using namespace std::chrono_literals;
using pcsc::Worker;

TEST_SUITE("pcsc")
{
    TEST_CASE("a job's answer and its exception reach the caller")
    {
        Worker worker;

        CHECK(worker.run(1s, [] { return 7; }) == 7);
        CHECK_THROWS_AS((void)worker.run(1s,
                                         []() -> int {
                                             throw Error{Errc::no_card, "none"};
                                         }),
                        Error);
        CHECK(worker.run(1s, [] { return 8; }) == 8);
    }

    TEST_CASE("a job that misses its deadline is left behind with what it owns")
    {
        std::promise<void> release;
        const auto held = release.get_future().share();
        std::weak_ptr<int> alive;
        {
            Worker worker;
            auto owned = std::make_shared<int>(1);
            alive = owned;

            const auto answer = worker.run(20ms, [owned = std::move(owned), held] {
                held.wait();
                return *owned;
            });

            CHECK_FALSE(answer);
            CHECK(worker.lost());
            CHECK_FALSE(worker.run(20ms, [] { return 1; }));
        }
        CHECK_FALSE(alive.expired());
        release.set_value();
        for (int i = 0; i != 200 && !alive.expired(); ++i)
            std::this_thread::sleep_for(10ms);
        CHECK(alive.expired());
    }

    TEST_CASE("the idle job runs once when no other job comes, and not when one does")
    {
        Worker worker;
        std::atomic<int> idled = 0;
        const auto arm = [&] {
            worker.run(1s, [] { return true; });
            worker.when_idle(100ms, [&] { ++idled; });
        };

        arm();
        worker.run(1s, [] { return true; }); // disarms
        std::this_thread::sleep_for(200ms);
        CHECK(idled == 0);
        arm();
        std::this_thread::sleep_for(400ms);
        CHECK(idled == 1);
    }

    TEST_CASE("where threads are forbidden the job runs on the caller's own")
    {
        Worker worker{Worker::Threads::forbidden};
        const auto here = std::this_thread::get_id();

        CHECK((worker.run(0ms, [] { return std::this_thread::get_id(); }) == here));
    }
}
