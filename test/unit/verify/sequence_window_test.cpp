#include "verify/sequence_window.hpp"

#include <doctest/doctest.h>

using cps::verify::SequenceWindow;

TEST_SUITE("verify")
{
    TEST_CASE("each number passes once, those behind the window never")
    {
        SequenceWindow window;
        CHECK_FALSE(window.admits(0));
        window.note(1);
        CHECK_FALSE(window.admits(1));
        window.note(40);
        CHECK_FALSE(window.admits(40 - SequenceWindow::width));
        CHECK(window.admits(40 - SequenceWindow::width + 1));
        window.note(9);
        CHECK_FALSE(window.admits(9));
        CHECK(window.admits(39));
        window.note(39);
        CHECK_FALSE(window.admits(39));
        CHECK(window.admits(10));
        window.note(71);
        CHECK_FALSE(window.admits(39));
        CHECK_FALSE(window.admits(40));
        CHECK(window.admits(41));
        window.note(1'000);
        CHECK(window.admits(999));
        CHECK_FALSE(window.admits(968));
        CHECK(window.highest() == 1'000);
    }
}
