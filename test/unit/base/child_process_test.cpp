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

    TEST_CASE("a child has the descriptor that is handed to it, and no other")
    {
        int ends[2]{};
        REQUIRE(::pipe(ends) == 0); // not close-on-exec
        REQUIRE(::write(ends[1], "handed\n", 7) == 7);
        const ChildProcess shell{
            "/bin/sh",
            {"-c", "read line <&3; [ -e /proc/$$/fd/4 ] && echo more; echo $line"},
            ends[0]};
        std::array<char, 16> answer{};

        const auto got = ::read(shell.fd(), answer.data(), answer.size());

        CHECK(std::string_view{answer.data(), static_cast<std::size_t>(got)} == "handed\n");
        ::close(ends[0]);
        ::close(ends[1]);
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
