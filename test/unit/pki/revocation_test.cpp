#include "fixture.hpp"

#include "pki/ocsp_server.hpp"
#include "pki/revocation.hpp"
#include "pki/seed_stream.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/unique_handle.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ocsp.h>
#include <sys/socket.h>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <thread>

using namespace cps;
using test::hierarchy;
using test::pki_time;

namespace {

const pki::Authority& leaf()
{
    static const auto issued = hierarchy().issue(test::doctor_leaf());
    return issued;
}

/// A DER request for the leaf's status, with a nonce.
Bytes question()
{
    const std::unique_ptr<OCSP_REQUEST, pki::FreeWith<OCSP_REQUEST_free>> request{
        OCSP_REQUEST_new()};
    OCSP_request_add0_id(request.get(),
                         OCSP_cert_to_id(EVP_sha1(), leaf().certificate.get(),
                                         hierarchy().issuing().certificate.get()));
    std::array<unsigned char, 4> nonce{1, 2, 3, 4};
    OCSP_request_add1_nonce(request.get(), nonce.data(), static_cast<int>(nonce.size()));
    return pki::der_of(i2d_OCSP_REQUEST, request.get());
}

/// The leaf's status as a client sees it after checking signature and nonce; -1 when refused.
int status_in(const Bytes& answer, const Bytes& asked)
{
    const auto* cursor = answer.data();
    const std::unique_ptr<OCSP_RESPONSE, pki::FreeWith<OCSP_RESPONSE_free>> response{
        d2i_OCSP_RESPONSE(nullptr, &cursor, static_cast<long>(answer.size()))};
    if (!response || OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return -1;
    const std::unique_ptr<OCSP_BASICRESP, pki::FreeWith<OCSP_BASICRESP_free>> basic{
        OCSP_response_get1_basic(response.get())};
    const auto* request_cursor = asked.data();
    const std::unique_ptr<OCSP_REQUEST, pki::FreeWith<OCSP_REQUEST_free>> request{
        d2i_OCSP_REQUEST(nullptr, &request_cursor, static_cast<long>(asked.size()))};
    const std::unique_ptr<X509_STORE, pki::FreeWith<X509_STORE_free>> store{X509_STORE_new()};
    X509_STORE_add_cert(store.get(), hierarchy().root().certificate.get());
    X509_STORE_add_cert(store.get(), hierarchy().issuing().certificate.get());
    auto* parameters = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(to_number(pki_time)));
    if (OCSP_basic_verify(basic.get(), nullptr, store.get(), 0) != 1 ||
        OCSP_check_nonce(request.get(), basic.get()) != 1)
        return -1;

    const std::unique_ptr<OCSP_CERTID, pki::FreeWith<OCSP_CERTID_free>> id{OCSP_cert_to_id(
        EVP_sha1(), leaf().certificate.get(), hierarchy().issuing().certificate.get())};
    int status = -1;
    OCSP_resp_find_status(basic.get(), id.get(), &status, nullptr, nullptr, nullptr, nullptr);
    return status;
}

Bytes answer_to(const Bytes& request, const pki::Index& index)
{
    return pki::ocsp_answer(request, hierarchy().issuing(), hierarchy().ocsp_responder(), index,
                            pki_time);
}

std::string exchange(std::uint16_t port, const std::string& request)
{
    const UniqueFd connection{::socket(AF_INET, SOCK_STREAM, 0)};
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(connection.get(), reinterpret_cast<::sockaddr*>(&address),
                      sizeof address) == 0);
    REQUIRE(::send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<::ssize_t>(request.size()));
    std::string out;
    std::array<char, 4096> chunk{};
    for (;;) {
        const auto got = ::recv(connection.get(), chunk.data(), chunk.size(), 0);
        if (got <= 0)
            return out;
        out.append(chunk.data(), static_cast<std::size_t>(got));
    }
}

} // namespace

TEST_SUITE("pki")
{
    TEST_CASE("a CRL names the revoked certificate and no other, under the CA's signature")
    {
        const auto der = pki::crl(hierarchy().issuing(),
                                  {pki::index_entry(leaf(), pki_time),
                                   pki::index_entry(hierarchy().ocsp_responder(), {})},
                                  pki_time, pki_time + std::chrono::days{7});

        const auto* cursor = der.data();
        const pki::CrlPtr list{d2i_X509_CRL(nullptr, &cursor, static_cast<long>(der.size()))};
        REQUIRE(list);
        CHECK(X509_CRL_verify(list.get(), hierarchy().issuing().key.get()) == 1);
        X509_REVOKED* found = nullptr;
        CHECK(X509_CRL_get0_by_cert(list.get(), &found, leaf().certificate.get()) == 1);
        CHECK(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list.get())) == 1);
        CHECK(X509_CRL_get_ext_by_NID(list.get(), NID_crl_number, -1) >= 0);
        CHECK(X509_CRL_get_ext_by_NID(list.get(), NID_authority_key_identifier, -1) >= 0);
    }

    TEST_CASE("index.txt comes back as it was")
    {
        const pki::Index index{pki::index_entry(leaf(), pki_time),
                               pki::index_entry(hierarchy().ocsp_responder(), {})};

        const auto back = pki::parse_index(pki::to_text(index));

        REQUIRE(back.size() == 2);
        for (std::size_t i = 0; i != 2; ++i) {
            CHECK(back[i].serial == index[i].serial);
            CHECK(back[i].not_after == index[i].not_after);
            CHECK(back[i].revoked_at == index[i].revoked_at);
            CHECK(back[i].subject == index[i].subject);
        }
    }

    TEST_CASE("index.txt with a line of another kind is refused")
    {
        CHECK_THROWS_AS(pki::parse_index("X\t290101000000Z\t\t01\tunknown\t/C=FR\n"), Error);
        CHECK_THROWS_AS(pki::parse_index("V\tyesterday\t\t01\tunknown\t/C=FR\n"), Error);
    }

    TEST_CASE("OCSP says good, revoked or unknown, signed by the CA's responder, nonce echoed")
    {
        const auto asked = question();

        const auto good = answer_to(asked, {pki::index_entry(leaf(), {})});
        const auto revoked = answer_to(asked, {pki::index_entry(leaf(), pki_time)});
        const auto unknown = answer_to(asked, {});

        CHECK(status_in(good, asked) == V_OCSP_CERTSTATUS_GOOD);
        CHECK(status_in(revoked, asked) == V_OCSP_CERTSTATUS_REVOKED);
        CHECK(status_in(unknown, asked) == V_OCSP_CERTSTATUS_UNKNOWN);
    }

    TEST_CASE("OCSP answers octets that are no request with malformedRequest")
    {
        CHECK(to_hex(answer_to({}, {})) == "30030A0101");
        CHECK(to_hex(answer_to({0x30, 0x00, 0x17}, {})) == "30030A0101");
    }

    TEST_CASE("the OCSP server answers POST and GET alike")
    {
        pki::OcspServer server{"127.0.0.1", 0};
        const auto asked = question();
        std::thread serving{[&] {
            for (int i = 0; i != 2; ++i)
                server.serve_one([](ByteView request) { return copy_of(request); });
        }};

        const auto posted =
            exchange(server.port(), "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: " +
                                        std::to_string(asked.size()) + "\r\n\r\n" +
                                        std::string{text_of(asked)});
        auto path = to_base64(asked);
        for (auto at = path.find('='); at != std::string::npos; at = path.find('='))
            path.replace(at, 1, "%3D");
        const auto got =
            exchange(server.port(), "GET /" + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
        serving.join();

        CHECK(posted.ends_with(text_of(asked)));
        CHECK(got == posted);
    }
}
