#include "cps/base/secret.hpp"

#include "cps/base/error.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

using namespace cps;

namespace {

void put(Pin& pin, std::string_view digits)
{
    std::ranges::copy(octets(digits), pin.buffer().begin());
    pin.set_size(digits.size());
}

} // namespace

TEST_SUITE("base")
{
    TEST_CASE("a PIN moves and leaves nothing behind")
    {
        Pin pin;
        put(pin, "1234");

        Pin moved = std::move(pin);

        CHECK(text_of(moved.bytes()) == "1234");
        CHECK(pin.empty()); // NOLINT: looking at the moved-from state is the point
        moved.clear();
        CHECK(std::ranges::all_of(moved.buffer(), [](auto b) { return b == 0; }));
    }

    TEST_CASE("a PIN longer than its room is refused")
    {
        Pin pin;

        CHECK_THROWS_AS(pin.set_size(Pin::max_size + 1), Error);
    }

    TEST_CASE("a forked child finds the PIN's page empty")
    {
        Pin pin;
        put(pin, "1234");

        const auto child = ::fork();
        if (child == 0)
            ::_exit(std::ranges::all_of(pin.bytes(), [](auto b) { return b == 0; }) ? 0 : 1);
        int status = -1;
        ::waitpid(child, &status, 0);

        CHECK(status == 0);
        CHECK(text_of(pin.bytes()) == "1234");
    }

    TEST_CASE("a PIN's page is locked and left out of core dumps")
    {
        Pin pin;
        put(pin, "1234");
        std::ifstream maps{"/proc/self/smaps"};
        const auto address = reinterpret_cast<std::uintptr_t>(pin.bytes().data());
        std::string line;
        std::string flags;
        bool here = false;

        while (std::getline(maps, line)) {
            std::uintptr_t begin = 0;
            std::uintptr_t end = 0;
            if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2)
                here = begin <= address && address < end;
            else if (here && line.starts_with("VmFlags:"))
                flags = line + ' ';
        }

        CHECK(flags.find(" lo ") != std::string::npos);
        CHECK(flags.find(" dd ") != std::string::npos);
        CHECK(flags.find(" wf ") != std::string::npos);
    }
}
