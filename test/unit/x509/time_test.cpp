#include "time.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cps;

namespace {

std::optional<EpochSeconds> read(std::uint8_t identifier, std::string_view text)
{
    return x509::time_of(x509::Element{identifier, octets(text), {}});
}

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("UTCTime and GeneralizedTime are read to the second, in Z alone")
    {
        CHECK(read(0x17, "260921130640Z") == epoch_seconds(1'789'996'000));
        CHECK(read(0x18, "20260921130640Z") == epoch_seconds(1'789'996'000));
        CHECK(read(0x17, "491231235959Z") == epoch_seconds(2'524'607'999));
        CHECK(read(0x17, "500101000000Z") == epoch_seconds(-631'152'000));
        CHECK(read(0x18, "20240229000000Z").has_value());
    }

    TEST_CASE("a time in another form is none")
    {
        for (const auto* text : {"2609211306Z", "260921130640+0200", "260921130640", "",
                                 "260931130640Z", "261321130640Z", "260921240000Z",
                                 "260921136000Z", "260921130660Z", "26092113064-Z"})
            CHECK_FALSE(read(0x17, text));
        for (const auto* text : {"20260921130640.5Z", "20230229000000Z", "260921130640Z"})
            CHECK_FALSE(read(0x18, text));
        CHECK_FALSE(read(0x13, "260921130640Z"));
    }
}
