#include "pki/seed_stream.hpp"

#include "pki/openssl.hpp"

namespace cps::pki {

SeedStream::SeedStream(std::uint64_t seed, std::string_view name)
    : prefix_{"cps-pki/" + std::to_string(seed) + "/" + std::string{name} + "/"}
{
}

void SeedStream::next_block()
{
    const auto input = prefix_ + std::to_string(counter_++);
    block_.resize(32);
    must(EVP_Digest(input.data(), input.size(), block_.data(), nullptr, EVP_sha256(), nullptr));
    used_ = 0;
}

void SeedStream::fill(std::span<std::uint8_t> out)
{
    for (auto& octet : out) {
        if (used_ == block_.size())
            next_block();
        octet = block_[used_++];
    }
}

Bytes SeedStream::take(std::size_t size)
{
    Bytes out(size);
    fill(out);
    return out;
}

Bytes serial_number(std::uint64_t seed, std::string_view name)
{
    auto serial = SeedStream{seed, "serial/" + std::string{name}}.take(16);
    serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3F) | 0x40); // positive, full length
    return serial;
}

} // namespace cps::pki
