#pragma once

#include "support/fake_pcsc.hpp"
#include "vcard/card.hpp"
#include "vcard/card_data.hpp"

#include "cryptoki.hpp"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace cps::test {

inline constexpr auto reader_name = "Fake Reader 00 00";

inline std::filesystem::path card_directory(const char* name)
{
    const char* const pki = std::getenv("CPS_TEST_PKI");
    return std::filesystem::path{pki != nullptr ? pki : "."} / "cards" / name;
}

/// A virtual card in a fake reader, and the module's configuration in an empty place.
struct CardInReader {
    explicit CardInReader(const char* name, const char* reader = reader_name,
                          std::function<Bytes(std::uint32_t, ByteView)> control = {})
        : card{vcard::make_card(
              vcard::read_card_directory(card_directory(name)),
              {vcard::padded_code("1234", 4), vcard::padded_code("12345678", 8)})}
    {
        ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
        ::setenv("XDG_CACHE_HOME", "/dev/null", 1);
        pcsc.add(reader, {copy_of(card->atr()), true,
                          [this](ByteView command) {
                              return dies_at && dies_at(command) ? Bytes{}
                                                                 : card->process(command);
                          },
                          [this] { card->reset(); }, std::move(control)});
    }
    std::unique_ptr<vcard::Card> card;
    std::function<bool(ByteView command)> dies_at; ///< whether it does not answer this one
    FakePcsc pcsc;
};

/// The same where the module is linked into the program.
struct Machine : CardInReader {
    using CardInReader::CardInReader;
    ~Machine() { C_Finalize(nullptr); } // where a test has failed in the middle
};

} // namespace cps::test
