#include "cps/crypto/prepared_key.hpp"

#include "cps/crypto/digest.hpp"
#include "cps/crypto/openssl.hpp"
#include "signature.hpp"

namespace cps::crypto {
namespace {

constexpr std::size_t max_spare = 4; // of one key: as many threads as verify with it at once

std::size_t signature_size_of(const PublicKey& key, SignatureAlgorithm algorithm)
{
    if (!fits(algorithm, key.native()))
        throw Error{Errc::bad_argument, "the key is of another kind than the algorithm's"};
    if (algorithm == SignatureAlgorithm::es256)
        return 2 * p256_size;
    const auto modulus = EVP_PKEY_get_size(key.native());
    if (modulus <= 0)
        throw Error{Errc::bad_argument, "a key without a size"};
    return static_cast<std::size_t>(modulus); // RFC 8017, 8.1.2 and 8.2.2, step 1
}

} // namespace

struct PreparedKey::Context {
    ossl::UniquePkeyContext verifying;
    ossl::UniqueDigestContext hashing;

    Context(const PublicKey& key, SignatureAlgorithm algorithm)
        : verifying{EVP_PKEY_CTX_new_from_pkey(nullptr, key.native(), nullptr)},
          hashing{EVP_MD_CTX_new()}
    {
        if (!verifying || !hashing || EVP_PKEY_verify_init(verifying.get()) != 1 ||
            !configure(algorithm, verifying.get()) ||
            EVP_PKEY_CTX_set_signature_md(verifying.get(), EVP_sha256()) != 1 ||
            EVP_DigestInit_ex2(hashing.get(), EVP_sha256(), nullptr) != 1)
            throw Error{Errc::internal, "OpenSSL cannot verify with a key"};
    }
    bool verify(ByteView data, ByteView signature)
    {
        Sha256 hash{};
        unsigned size = 0;
        // Without a type: the one that it has.
        return EVP_DigestInit_ex2(hashing.get(), nullptr, nullptr) == 1 &&
               EVP_DigestUpdate(hashing.get(), data.data(), data.size()) == 1 &&
               EVP_DigestFinal_ex(hashing.get(), hash.data(), &size) == 1 &&
               size == hash.size() &&
               EVP_PKEY_verify(verifying.get(), signature.data(), signature.size(), hash.data(),
                               hash.size()) == 1;
    }
};

PreparedKey::PreparedKey(PublicKey key, SignatureAlgorithm algorithm)
    : key_{std::move(key)},
      algorithm_{algorithm},
      signature_size_{signature_size_of(key_, algorithm)}
{
}

PreparedKey::~PreparedKey() = default;

bool PreparedKey::verify(ByteView data, ByteView signature) const
{
    if (signature.size() != signature_size_)
        return false;
    const ossl::ErrorMark mark;
    auto context = take();
    const auto is_good = algorithm_ == SignatureAlgorithm::es256
                             ? context->verify(data, der_from_raw(signature))
                             : context->verify(data, signature);
    if (is_good)
        give_back(std::move(context)); // after a failure nothing is known of its state
    return is_good;
}

std::unique_ptr<PreparedKey::Context> PreparedKey::take() const
{
    {
        const std::scoped_lock lock{mutex_};
        if (!spare_.empty()) {
            auto context = std::move(spare_.back());
            spare_.pop_back();
            return context;
        }
    }
    return std::make_unique<Context>(key_, algorithm_);
}

void PreparedKey::give_back(std::unique_ptr<Context> context) const
{
    const std::scoped_lock lock{mutex_};
    if (spare_.size() < max_spare)
        spare_.push_back(std::move(context));
}

} // namespace cps::crypto
