// A digest can be entered half-way only through the functions that OpenSSL 3.0 deprecates.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "vcard/resumed_hash.hpp"

#include <openssl/sha.h>

namespace cps::vcard {

namespace {

constexpr std::size_t count_size = 8;
constexpr std::size_t word_size = 4;

std::uint32_t word_at(ByteView bytes, std::size_t offset) noexcept
{
    std::uint32_t word = 0;
    for (const auto octet : bytes.subspan(offset, word_size))
        word = (word << 8) | octet;
    return word;
}

/// OpenSSL keeps the count in two words, in bits.
template <class State>
void set_count(State& state, ByteView begun, std::size_t offset) noexcept
{
    state.Nh = word_at(begun, offset);
    state.Nl = word_at(begun, offset + word_size);
}

Bytes finish_sha1(ByteView begun, ByteView rest)
{
    SHA_CTX state;
    SHA1_Init(&state);
    if (!begun.empty()) {
        state.h0 = word_at(begun, 0);
        state.h1 = word_at(begun, 4);
        state.h2 = word_at(begun, 8);
        state.h3 = word_at(begun, 12);
        state.h4 = word_at(begun, 16);
        set_count(state, begun, SHA_DIGEST_LENGTH);
    }
    Bytes digest(SHA_DIGEST_LENGTH);
    SHA1_Update(&state, rest.data(), rest.size());
    SHA1_Final(digest.data(), &state);
    return digest;
}

Bytes finish_sha256(ByteView begun, ByteView rest)
{
    SHA256_CTX state;
    SHA256_Init(&state);
    if (!begun.empty()) {
        for (std::size_t i = 0; i != 8; ++i)
            state.h[i] = word_at(begun, i * word_size);
        set_count(state, begun, SHA256_DIGEST_LENGTH);
    }
    Bytes digest(SHA256_DIGEST_LENGTH);
    SHA256_Update(&state, rest.data(), rest.size());
    SHA256_Final(digest.data(), &state);
    return digest;
}

} // namespace

std::optional<Bytes> finish_hash(Hash hash, ByteView begun, ByteView rest)
{
    if (rest.empty() || rest.size() > hash_block)
        return std::nullopt;
    if (!begun.empty() && begun.size() != hash_size(hash) + count_size)
        return std::nullopt;
    if (!begun.empty() && word_at(begun, begun.size() - word_size) % (hash_block * 8) != 0)
        return std::nullopt;
    return hash == Hash::sha1 ? finish_sha1(begun, rest) : finish_sha256(begun, rest);
}

} // namespace cps::vcard
