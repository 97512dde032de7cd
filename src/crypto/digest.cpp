#include "cps/crypto/digest.hpp"

#include "cps/base/error.hpp"
#include "cps/crypto/openssl.hpp"

namespace cps::crypto {
namespace {

struct Row {
    const char* name; // OpenSSL's
    std::size_t size; // octets
    /// DER of everything in DigestInfo before the digest (RFC 8017, 9.2, note 1).
    std::array<std::uint8_t, 19> prefix;
    std::size_t prefix_size;
};

// clang-format off
constexpr Row sha1_row{"SHA1", 20,
    {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14}, 15};
constexpr Row sha224_row{"SHA224", 28,
    {0x30, 0x2D, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04, 0x05, 0x00, 0x04, 0x1C}, 19};
constexpr Row sha256_row{"SHA256", 32,
    {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, 19};
constexpr Row sha384_row{"SHA384", 48,
    {0x30, 0x41, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30}, 19};
constexpr Row sha512_row{"SHA512", 64,
    {0x30, 0x51, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40}, 19};
// clang-format on

constexpr const Row& row_of(DigestAlgorithm algorithm) noexcept
{
    switch (algorithm) {
    case DigestAlgorithm::sha1: return sha1_row;
    case DigestAlgorithm::sha224: return sha224_row;
    case DigestAlgorithm::sha256: return sha256_row;
    case DigestAlgorithm::sha384: return sha384_row;
    case DigestAlgorithm::sha512: break;
    }
    return sha512_row;
}

void compute(DigestAlgorithm algorithm, ByteView data, std::span<std::uint8_t> out)
{
    std::size_t size = 0;
    if (EVP_Q_digest(nullptr, row_of(algorithm).name, nullptr, data.data(), data.size(),
                     out.data(), &size) != 1 ||
        size != out.size())
        throw Error{Errc::internal, "OpenSSL cannot compute this digest"};
}

} // namespace

std::size_t digest_size(DigestAlgorithm algorithm) noexcept
{
    return row_of(algorithm).size;
}

Bytes digest(DigestAlgorithm algorithm, ByteView data)
{
    Bytes value(digest_size(algorithm));
    compute(algorithm, data, value);
    return value;
}

Sha256 sha256(ByteView data)
{
    Sha256 value;
    compute(DigestAlgorithm::sha256, data, value);
    return value;
}

Bytes digest_info(DigestAlgorithm algorithm, ByteView value)
{
    const auto& row = row_of(algorithm);
    if (value.size() != row.size)
        throw Error{Errc::bad_argument, "the digest has another size than its algorithm's"};
    const auto prefix = ByteView{row.prefix}.first(row.prefix_size);
    Bytes info;
    info.reserve(prefix.size() + value.size());
    info.insert(info.end(), prefix.begin(), prefix.end());
    info.insert(info.end(), value.begin(), value.end());
    return info;
}

} // namespace cps::crypto
