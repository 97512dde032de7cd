#pragma once

#include "cps/base/bytes.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <string_view>

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
    /// `while_held`: as pcscd, which lets a handle of a card that is gone keep the reader.
    enum class Pull { clean, while_held };
    void pull(const std::string& name, Pull pull = Pull::clean);
    void insert(const std::string& name);
    /// Another program resets the card. `untold` as in pcscd's races, where a handle made at
    /// that moment does not hear of it.
    enum class Reset { told, untold };
    void reset(const std::string& name, Reset reset = Reset::told);
    /// Runs after each SCard function but before it returns, with the function's name: what
    /// other programs do meanwhile.
    void set_meanwhile(std::function<void(std::string_view)> meanwhile);
    /// Transactions that are open at this moment.
    int transactions() const;
    /// Contexts and card handles that nobody has closed.
    int open_handles() const;
    /// Calls with a handle that was closed, or never was.
    int strays() const;
    /// Looks and waits that found nothing new: libpcsclite turns for 1 ms in such a look.
    std::atomic<int> vain_looks = 0;
    /// Other than 0: the next SCardEndTransaction answers that, and the card stays as it is.
    std::atomic<long> next_end_fails = 0;

    struct State;

private:
    State* state_;
};

} // namespace cps::test
