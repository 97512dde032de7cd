#pragma once

#include "cps/base/bytes.hpp"

#include <functional>
#include <map>
#include <string>

namespace cps::test {

/// One reader of the fake PC/SC below. Functions run on whichever thread calls PC/SC, one at
/// a time.
struct FakeReader {
    Bytes atr;
    bool card = true;
    std::function<Bytes(ByteView command)> answer; ///< SW1-SW2 included; empty: a dead card
    std::function<void()> reset = [] {};
    /// SCardControl; empty answers "not supported".
    std::function<Bytes(std::uint32_t code, ByteView input)> control;
};

/// Stands in for libpcsclite: linked into a program, its SCard* functions are found first, so
/// that the module and src/pcsc run whole, without a service and without a clock.
class FakePcsc {
public:
    /// What the SCard* functions serve from now on. One at a time in a process.
    FakePcsc();
    ~FakePcsc();
    FakePcsc(const FakePcsc&) = delete;
    FakePcsc& operator=(const FakePcsc&) = delete;

    void add(const std::string& name, FakeReader reader);
    void pull(const std::string& name);
    void insert(const std::string& name);
    /// Transactions that are open at this moment.
    int transactions() const;
    /// Contexts and card handles that nobody has closed.
    int open_handles() const;

    struct State;

private:
    State* state_;
};

} // namespace cps::test
