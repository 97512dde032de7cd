#include "cps/crypto/private_key.hpp"

#include "cps/crypto/openssl.hpp"
#include "signature.hpp"

#include <openssl/pem.h>

namespace cps::crypto {
namespace {

constexpr std::size_t max_key_size = 16 * 1024; // octets; RSA 4096 has about 3,300 as PEM

/// OpenSSL would ask the terminal for a password otherwise.
int no_password(char*, int, int, void*)
{
    return -1;
}

} // namespace

PrivateKey PrivateKey::generate_p256()
{
    const ossl::ErrorMark mark;
    ossl::UniquePkey key{EVP_EC_gen("P-256")};
    if (!key)
        throw Error{Errc::internal, "OpenSSL cannot make a P-256 key"};
    return PrivateKey{std::shared_ptr<EVP_PKEY>{std::move(key)}};
}

Result<PrivateKey> PrivateKey::from_der(ByteView der)
{
    if (der.size() > max_key_size)
        return Error{Errc::malformed_input, "private key is too large"};
    const ossl::ErrorMark mark;
    const auto* in = der.data();
    ossl::UniquePkey key{d2i_AutoPrivateKey(nullptr, &in, static_cast<long>(der.size()))};
    if (!key || in != der.data() + der.size())
        return Error{Errc::malformed_input, "not a private key in DER"};
    return PrivateKey{std::shared_ptr<EVP_PKEY>{std::move(key)}};
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem)
{
    if (pem.size() > max_key_size)
        return Error{Errc::malformed_input, "private key is too large"};
    const ossl::ErrorMark mark;
    const ossl::UniqueBio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    ossl::UniquePkey key{in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr)
                            : nullptr};
    if (!key)
        return Error{Errc::malformed_input, "not an unencrypted private key in PEM"};
    return PrivateKey{std::shared_ptr<EVP_PKEY>{std::move(key)}};
}

Bytes PrivateKey::to_der() const
{
    const ossl::ErrorMark mark;
    const ossl::UniqueBio out{BIO_new(BIO_s_mem())};
    char* data = nullptr; // owned by `out`
    if (!out || i2d_PKCS8PrivateKey_bio(out.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) != 1)
        throw Error{Errc::internal, "OpenSSL cannot write the key"};
    const auto size = BIO_get_mem_data(out.get(), &data);
    return copy_of(octets({data, static_cast<std::size_t>(size)}));
}

PublicKey PrivateKey::public_key() const
{
    // Through its encoding, so that the private half does not travel along.
    return PublicKey::from_spki(PublicKey{key_}.spki()).value();
}

Bytes PrivateKey::sign(SignatureAlgorithm algorithm, ByteView data) const
{
    if (!fits(algorithm, key_.get()))
        throw Error{Errc::bad_argument, "the key is of another kind than the algorithm's"};
    const ossl::ErrorMark mark;
    const ossl::UniqueDigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* parameters = nullptr; // owned by `context`
    const auto room = EVP_PKEY_get_size(key_.get());
    Bytes signature(static_cast<std::size_t>(room > 0 ? room : 0));
    auto size = signature.size();
    if (!context ||
        EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key_.get()) !=
            1 ||
        !configure(algorithm, parameters) ||
        EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) != 1)
        throw Error{Errc::internal, "OpenSSL cannot sign"};
    signature.resize(size);
    return algorithm == SignatureAlgorithm::es256 ? raw_from_der(signature) : signature;
}

} // namespace cps::crypto
