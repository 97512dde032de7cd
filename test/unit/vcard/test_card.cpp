#include "unit/vcard/test_card.hpp"

#include "vcard/tlv.hpp"

#include "cps/base/encoding.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace cps::test {

namespace {

struct Free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

EVP_PKEY* key_of(KeyName name)
{
    static const Key sign{EVP_RSA_gen(2048)};
    static const Key auth{EVP_RSA_gen(2048)};
    return name == KeyName::sign ? sign.get() : auth.get();
}

std::string pem_of(KeyName name)
{
    const std::unique_ptr<BIO, Free> bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_PrivateKey(bio.get(), key_of(name), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

/// A recognisable filling, longer than one READ BINARY.
Bytes certificate(std::uint8_t first)
{
    Bytes octets(2200);
    for (std::size_t i = 0; i != octets.size(); ++i)
        octets[i] = static_cast<std::uint8_t>(i * 7 + first);
    return octets;
}

const EVP_MD* evp(vcard::Hash hash)
{
    return hash == vcard::Hash::sha1 ? EVP_sha1() : EVP_sha256();
}

} // namespace

vcard::CardData card_data(vcard::Generation generation, vcard::Interface interface)
{
    return {generation,
            interface,
            "99214803",
            "2600971845",
            certificate(1),
            certificate(2),
            pem_of(KeyName::auth),
            pem_of(KeyName::sign)};
}

vcard::PinState fresh_pins()
{
    return {vcard::padded_code("1234", vcard::pin_digits),
            vcard::padded_code("12345678", vcard::puk_digits)};
}

std::unique_ptr<vcard::Card> new_card(vcard::Generation generation, vcard::Interface interface)
{
    return vcard::make_card(card_data(generation, interface), fresh_pins());
}

std::string ask(vcard::Card& card, std::string_view command)
{
    const auto bytes = from_hex(command);
    REQUIRE(bytes);
    return to_hex(card.process(*bytes), ' ');
}

Bytes fetch(vcard::Card& card, std::string_view command, std::string_view cla)
{
    auto answer = card.process(vcard::octets_of_hex(command));
    Bytes data;
    for (int rounds = 0; rounds != 16; ++rounds) {
        data.insert(data.end(), answer.begin(), answer.end() - 2);
        if (answer[answer.size() - 2] != 0x61)
            break;
        const auto waiting = to_hex(ByteView{answer}.last(1));
        answer = card.process(vcard::octets_of_hex(std::string{cla} + " C0 00 00" + waiting));
    }
    const auto status = to_hex(ByteView{answer}.last(2));
    REQUIRE(status == "9000");
    return data;
}

bool verifies(KeyName key, Padding padding, vcard::Hash hash, ByteView digest,
              ByteView signature)
{
    const Context context{EVP_PKEY_CTX_new(key_of(key), nullptr)};
    const bool pss = padding == Padding::pss;
    EVP_PKEY_verify_init(context.get());
    EVP_PKEY_CTX_set_rsa_padding(context.get(),
                                 pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
    EVP_PKEY_CTX_set_signature_md(context.get(), evp(hash));
    if (pss)
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST);
    return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                           digest.size()) == 1;
}

Bytes digest_of(vcard::Hash hash, ByteView message)
{
    Bytes digest(vcard::hash_size(hash));
    EVP_Digest(message.data(), message.size(), digest.data(), nullptr, evp(hash), nullptr);
    return digest;
}

Bytes encrypt(KeyName key, ByteView clear)
{
    const Context context{EVP_PKEY_CTX_new(key_of(key), nullptr)};
    EVP_PKEY_encrypt_init(context.get());
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING);
    Bytes cryptogram(256);
    auto size = cryptogram.size();
    REQUIRE(EVP_PKEY_encrypt(context.get(), cryptogram.data(), &size, clear.data(),
                             clear.size()) == 1);
    return cryptogram;
}

Bytes digest_info(ByteView digest)
{
    return vcard::join(vcard::octets_of_hex("3031300D060960864801650304020105000420"), digest);
}

Bytes host_padded(ByteView digest)
{
    const auto info = digest_info(digest);
    return vcard::join(Bytes{0x00, 0x01}, Bytes(256 - 3 - info.size(), 0xFF), Bytes{0x00},
                       info);
}

} // namespace cps::test
