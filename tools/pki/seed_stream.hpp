#pragma once

#include "cps/base/bytes.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cps::pki {

/// Octets that depend on a seed and a name alone: SHA-256(seed ‖ name ‖ counter), block after
/// block. Two names share nothing, so a card added later leaves the other cards' keys as they
/// were. For test material only: whoever knows the seed knows every key.
class SeedStream {
public:
    SeedStream(std::uint64_t seed, std::string_view name);
    void fill(std::span<std::uint8_t> out);
    Bytes take(std::size_t size);

private:
    void next_block();
    std::string prefix_;
    std::uint64_t counter_ = 0;
    Bytes block_;
    std::size_t used_ = 0;
};

/// A positive serial number of 16 octets (RFC 5280, 4.1.2.2: at most 20).
Bytes serial_number(std::uint64_t seed, std::string_view name);

} // namespace cps::pki
