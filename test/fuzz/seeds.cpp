// Writes the first inputs of the x509 fuzz targets: make-fuzz-seeds test/corpus
#include "cps/base/encoding.hpp"
#include "fuzz/authority.hpp"
#include "pki/der.hpp"
#include "support/revocations.hpp"
#include "support/vector_file.hpp"

#include "cps/crypto/openssl.hpp"

#include <openssl/ocsp.h>

#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

using namespace cps;
namespace fs = std::filesystem;
namespace der = pki::der;

constexpr std::uint8_t whole = 0, signed_part = 1, two_signed_parts = 2;

class Writer {
public:
    explicit Writer(fs::path folder) : folder_{std::move(folder)}
    {
        fs::create_directories(folder_);
    }
    void operator()(const std::string& name, ByteView octets) const
    {
        std::ofstream{folder_ / name, std::ios::binary} << text_of(octets);
    }
    void operator()(const std::string& name, std::uint8_t kind, Bytes octets) const
    {
        octets.insert(octets.begin(), kind);
        (*this)(name, octets);
    }

private:
    fs::path folder_;
};

/// The signed part of a certificate or CRL.
Bytes signed_part_of(ByteView whole_der)
{
    ByteView rest = whole_der;
    const auto header = [&rest] {
        const std::size_t octets = rest[1] < 0x80 ? 2 : 2U + (rest[1] & 0x7FU);
        std::size_t length = rest[1] < 0x80 ? rest[1] : 0;
        for (std::size_t i = 2; i < octets; ++i)
            length = length << 8 | rest[i];
        return std::pair{octets, length};
    };
    rest = rest.subspan(header().first);
    const auto [octets, length] = header();
    return copy_of(rest.first(octets + length));
}

/// A CRL's signed part as the fuzzer's authority would write it.
Bytes crl_part(const test::CrlSpec& spec)
{
    const auto issuer = fuzz::authority();
    const pki::Authority named{test::test_hierarchy().issuing().key,
                               pki::certificate_from_der(issuer.der())};
    auto own = spec;
    own.issuer = &named;
    auto part = signed_part_of(test::crl_of(own));
    // sha256WithRSAEncryption becomes ecdsa-with-SHA256, 3 octets shorter.
    const auto rsa = der::sequence({der::oid("1.2.840.113549.1.1.11"), {0x05, 0x00}});
    const auto ecdsa = der::sequence({der::oid("1.2.840.10045.4.3.2")});
    const std::string text{text_of(part)};
    const auto at = text.find(text_of(rsa));
    const std::size_t header = part[1] < 0x80 ? 2 : 2U + (part[1] & 0x7FU);
    Bytes content{part.begin() + static_cast<std::ptrdiff_t>(header),
                  part.begin() + static_cast<std::ptrdiff_t>(at)};
    content.insert(content.end(), ecdsa.begin(), ecdsa.end());
    content.insert(content.end(), part.begin() + static_cast<std::ptrdiff_t>(at + rsa.size()),
                   part.end());
    return der::tagged(0x30, content);
}

/// ResponseData (RFC 6960, 4.2.1) about the fuzzer's card.
Bytes ocsp_part(Bytes status, bool with_next, Bytes nonce)
{
    using IdPtr = std::unique_ptr<OCSP_CERTID, pki::FreeWith<OCSP_CERTID_free>>;
    const IdPtr id{
        OCSP_cert_to_id(EVP_sha1(), fuzz::card().native(), fuzz::authority().native())};
    const auto time = [](std::chrono::seconds later) {
        return der::tagged(0x18, octets(der::generalized_time(fuzz::authority_time + later)));
    };
    Bytes single = pki::der_of(i2d_OCSP_CERTID, id.get());
    const auto add = [&single](const Bytes& more) {
        single.insert(single.end(), more.begin(), more.end());
    };
    add(status);
    add(time(std::chrono::seconds{0}));
    if (with_next)
        add(der::constructed(0, time(std::chrono::hours{2})));
    const auto name =
        pki::der_of(i2d_X509_NAME, X509_get_subject_name(fuzz::authority().native()));
    Bytes extensions;
    if (!nonce.empty())
        extensions = der::constructed(
            1, der::sequence({der::sequence({der::oid("1.3.6.1.5.5.7.48.1.2"),
                                             der::octet_string(der::octet_string(nonce))})}));
    return der::sequence({der::constructed(1, name), time(std::chrono::seconds{0}),
                          der::sequence({der::tagged(0x30, single)}), extensions});
}

void write_all(const fs::path& corpus)
{
    const Writer certificate{corpus / "certificate"};
    certificate("igc-sante",
                test::read_vector_octets("certificates/ans-test-igc-sante-signature.der"));
    certificate("cps2ter",
                test::read_vector_octets("certificates/ans-test-cps2ter-authentication.der"));
    certificate("card", fuzz::card().der());
    certificate("authority", fuzz::authority().der());

    const auto t = fuzz::authority_time;
    const test::CrlSpec empty{.this_update = t, .next_update = t + std::chrono::days{3}};
    auto revoking = empty;
    revoking.revoked = {{.serial = test::serial_of(fuzz::card())},
                        {.serial = "77", .reason = {}}};
    auto delta = empty;
    delta.base = 1;
    delta.revoked = {{.serial = test::serial_of(fuzz::card()), .reason = 8}};
    auto point = empty;
    point.more = {test::issuing_point("http://crl.example/a.crl", {1})};
    const Writer crl{corpus / "crl"};
    crl("empty", signed_part, crl_part(empty));
    crl("revoking", signed_part, crl_part(revoking));
    crl("delta", signed_part, crl_part(delta));
    crl("point", signed_part, crl_part(point));
    auto later = delta;
    later.number = 2;
    auto two = crl_part(revoking);
    two.insert(two.begin(), {static_cast<std::uint8_t>(two.size() >> 8),
                             static_cast<std::uint8_t>(two.size())});
    const auto second = crl_part(later);
    two.insert(two.end(), second.begin(), second.end());
    crl("two", two_signed_parts, two);
    crl("whole", whole, fuzz::crl_around(crl_part(revoking)));

    const auto good = der::primitive(0, {});
    const auto revoked = der::constructed(
        1, der::tagged(0x18, octets(der::generalized_time(fuzz::authority_time))));
    const Writer ocsp{corpus / "ocsp"};
    ocsp("good", signed_part, ocsp_part(good, true, {}));
    ocsp("nonce", signed_part, ocsp_part(good, false, Bytes(32, 0x5A)));
    ocsp("revoked", signed_part, ocsp_part(revoked, true, {}));
    ocsp("unknown", signed_part, ocsp_part(der::primitive(2, {}), true, {}));
    ocsp("whole", whole, fuzz::ocsp_around(ocsp_part(good, true, {})));
    const auto card = test::issue(test::physician());
    ocsp("delegated", whole, test::ocsp_of({{{&card}}}));
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::cerr << "usage: make-fuzz-seeds FOLDER\n";
        return 2;
    }
    write_all(argv[1]);
    return 0;
}
