#include "pin_texts.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;

TEST_SUITE("agent")
{
    TEST_CASE("the dialogs of a change of code say whose card it is, and what to type")
    {
        const PinAsk ask{PinTask::Kind::change, "fr", "ALICE \u202ESPECIMEN"};

        const auto first = entry_dialog(ask, PinEntry::old_pin);

        CHECK(first.description.ends_with("Carte : ALICE SPECIMEN"));
        CHECK(first.prompt == "Code actuel :");
        CHECK(first.error.empty());
        CHECK(entry_dialog(ask, PinEntry::new_pin_again).ok == "Changer le code");
    }

    TEST_CASE("tries are told where a code is tried, and not where a new one is chosen")
    {
        const PinAsk ask{PinTask::Kind::unblock, "en", "ALICE", 2};

        CHECK(entry_dialog(ask, PinEntry::puk).error ==
              "A wrong code was entered before. Tries left: 2.");
        CHECK(entry_dialog(ask, PinEntry::new_pin).error.empty());
    }

    TEST_CASE("the last try of the PUK is told to be more than that of the code")
    {
        const PinAsk change{PinTask::Kind::change, "fr", "ALICE", 1};
        const PinAsk unblock{PinTask::Kind::unblock, "fr", "ALICE", 1};

        CHECK(last_try_dialog(change).description.find("la débloquera") != std::string::npos);
        CHECK(last_try_dialog(unblock).description.find("bloquée définitivement") !=
              std::string::npos);
    }
}
