#include "cps/base/error.hpp"
#include "cps/card/certificate_fields.hpp"
#include "cps/card/pkcs15.hpp"
#include "support/scripted_card.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace cps;
using card::Path;
using test::hex;

namespace {

const Path application{0x00, 0x01};

/// Directory files by identifier, as a card with contacts has them.
std::map<unsigned, Bytes> published_files()
{
    return {
        {0x5031, hex("A8 06 30 04 04 02 70 01 A4 06 30 04 04 02 70 05")},
        {0x5032,
         hex("30 39 02 01 00 0C 0A 41 53 49 50 20 53 41 4E 54 45 80 11 43 50 53 33 76 33 "
             "2D 32 36 30 30 39 37 31 38 34 35 03 02 06 C0 A5 11 18 0F 32 30 31 30 30 33 "
             "31 36 31 31 30 30 30 30 5A")},
        // github.com/OpenSC/OpenSC, pull request 2224: flags 03 01 08, ids that do not pair.
        {0x7001, hex("30 61 30 3F 0C 1C 43 6F 64 65 20 70 6F 72 74 65 75 72 20 64 65 20 6C 61 "
                     "20 63 61 72 "
                     "74 65 20 43 50 53 03 01 08 04 01 02 30 19 30 06 03 02 05 20 05 00 30 06 "
                     "03 02 06 40 "
                     "05 00 30 07 03 02 03 08 04 01 04 30 03 04 01 01 A1 19 30 17 03 03 04 0C "
                     "10 0A 01 01 "
                     "02 01 04 02 01 08 02 01 04 80 01 01 04 01 FF"
                     "30 58 30 39 0C 22 43 6F 64 65 20 64 65 20 64 C3 A9 62 6C 6F 63 61 67 65 "
                     "20 64 65 20 "
                     "6C 61 20 63 61 72 74 65 20 43 50 53 03 01 08 30 10 30 06 03 02 05 20 05 "
                     "00 30 06 03 "
                     "02 06 40 05 00 30 03 04 01 04 A1 16 30 14 03 03 04 1D 10 0A 01 01 02 01 "
                     "08 02 01 08 "
                     "02 01 08 80 01 02")},
    };
}

card::Contents read(const std::map<unsigned, Bytes>& files)
{
    return card::read_contents(application, true, [&](const Path& path) -> Bytes {
        const auto id = static_cast<unsigned>(path[path.size() - 2] << 8 | path.back());
        const auto found = files.find(id);
        if (found == files.end())
            throw Error{Errc::card_refused, "missing", 0x6A82};
        return found->second;
    });
}

} // namespace

TEST_SUITE("card")
{
    TEST_CASE("PIN and PUK are told apart by their roles, since their ids do not pair")
    {
        const auto contents = read(published_files());

        CHECK(contents.pin.label == "Code porteur de la carte CPS");
        CHECK(contents.pin.min_size == 4);
        CHECK(contents.pin.max_size == 4);
        CHECK(contents.pin.stored_size == 8);
        CHECK(contents.pin.padding == 0xFF);
        CHECK(contents.puk.label == "Code de d\xC3\xA9"
                                    "blocage de la carte CPS");
        CHECK(contents.puk.min_size == 8);
    }

    TEST_CASE("TokenInfo gives label, maker and last update")
    {
        const auto info = card::parse_token_info(published_files().at(0x5032));

        CHECK(info.label == "CPS3v3-2600971845");
        CHECK(info.manufacturer == "ASIP SANTE");
        CHECK(info.last_update == "20100316110000Z");
    }

    TEST_CASE("an application without an ODF is empty and no error")
    {
        CHECK(read({}).certificates.empty());
    }

    TEST_CASE("whatever is cut short is refused")
    {
        const auto files = published_files();
        for (const auto id : {0x5031U, 0x5032U, 0x7001U}) {
            for (std::size_t size = 1; size < files.at(id).size(); ++size) {
                auto cut = files;
                cut[id].resize(size);
                try {
                    read(cut); // some cuts fall between two entries
                } catch (const Error& e) {
                    CHECK(e.code() == Errc::malformed_input);
                }
            }
        }
    }

    TEST_CASE("what is no certificate is refused")
    {
        CHECK_THROWS_AS(card::parse_certificate({}), Error);
        CHECK_THROWS_AS(card::parse_certificate(hex("30 00")), Error);
        CHECK_THROWS_AS(card::parse_certificate(hex("30 05 30 03 02 01 01")), Error);
    }
}
