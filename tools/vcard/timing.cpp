#include "vcard/timing.hpp"

namespace cps::vcard {

namespace {

using std::chrono::microseconds;

// The CPS3's ATR has no TA1: F = 372 and D = 1 (ISO/IEC 7816-3:2006, 8.3). At a reader's usual
// 4 MHz one elementary time unit is 372 / 4 MHz = 93 us, and a T=0 character takes 12 of them.
constexpr microseconds character{12 * 93};
// T=0 sends a procedure octet between header and data.
constexpr std::size_t procedure_octets = 1;
// The chip looks up, checks and copies.
constexpr microseconds any_command{5'000};
// RSA-2048 with CRT on a coprocessor of 2010: data sheets of that time say 0.3 to 0.7 s.
constexpr microseconds rsa{500'000};

constexpr std::uint8_t ins_pso = 0x2A;
constexpr std::uint8_t ins_internal_authenticate = 0x88;
constexpr std::uint8_t p1_hash = 0x90;

bool uses_key(ByteView command, ByteView response) noexcept
{
    if (command.size() < 4 || (command[0] & 0x10U) != 0) // a chained block only waits
        return false;
    const bool done = response.size() >= 2 && (response[response.size() - 2] == 0x61 ||
                                               response[response.size() - 2] == 0x90);
    return done && (command[1] == ins_internal_authenticate ||
                    (command[1] == ins_pso && command[2] != p1_hash));
}

} // namespace

microseconds exchange_time(Timing timing, ByteView command, ByteView response) noexcept
{
    switch (timing) {
    case Timing::none: return microseconds::zero();
    case Timing::cps3: break;
    }
    const auto characters =
        static_cast<long>(command.size() + response.size() + procedure_octets);
    return any_command + characters * character +
           (uses_key(command, response) ? rsa : microseconds::zero());
}

} // namespace cps::vcard
