#include "cps/base/child_process.hpp"

#include "cps/base/error.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

using namespace cps;

TEST_SUITE("base")
{
    TEST_CASE("a child reads and writes through our socket")
    {
        const ChildProcess cat{"/bin/cat", {}};
        std::array<char, 8> answer{};

        REQUIRE(::write(cat.fd(), "hello", 5) == 5);
        const auto got = ::read(cat.fd(), answer.data(), answer.size());

        CHECK(std::string_view{answer.data(), static_cast<std::size_t>(got)} == "hello");
    }

    TEST_CASE("a child does not outlive its object")
    {
        pid_t pid = -1;
        {
            const ChildProcess sleeper{"/bin/sleep", {"600"}};
            pid = sleeper.pid();
        }

        CHECK(::kill(pid, 0) == -1);
        CHECK(errno == ESRCH);
    }

    TEST_CASE("a program that is not there is told")
    {
        CHECK_THROWS_AS((ChildProcess{"/nonexistent/program", {}}), Error);
    }
}
