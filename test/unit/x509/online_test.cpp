#include "cps/http/fetcher.hpp"
#include "cps/x509/revocation_checker.hpp"

#include "pki/ocsp_server.hpp"
#include "pki/revocation.hpp"
#include "support/revocations.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace cps;
using namespace std::chrono_literals;
using x509::RevocationDoubt;
using Require = x509::RevocationPolicy::Require;

namespace {

constexpr auto start = test::issue_time + 10min;

const x509::Certificate& card()
{
    static const auto made = test::issue(test::physician());
    return made;
}

/// Answers so many HTTP requests on loopback with what `answer` makes of their bodies.
class Server {
public:
    Server(int requests, std::function<Bytes(ByteView)> answer)
        : server_{"127.0.0.1", 0}, thread_{[this, requests, answer = std::move(answer)] {
              for (int i = 0; i != requests; ++i)
                  server_.serve_one(answer);
          }}
    {
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

private:
    pki::OcspServer server_;
    std::jthread thread_;
};

x509::RevocationVerdict ask(const std::string& url, Require require = Require::ocsp)
{
    const test::MovedClock clock{start};
    http::HttpFetcher fetcher;
    x509::CrlStore crls{{test::issuing_authority()}, clock};
    x509::RevocationChecker checker{
        {.require = require},
        {.ocsp_urls = {url}, .crl_urls = {url}, .ocsp_nonce_required = true},
        crls,
        fetcher,
        clock};
    if (require == Require::crl)
        checker.refresh_crls();
    return checker.check(card());
}

/// As `cps-pki ocsp` answers. @param known the certificate stands in the index.
Bytes answer_of_pki(ByteView request, bool known, std::optional<EpochSeconds> revoked_at = {})
{
    const auto& hierarchy = test::test_hierarchy();
    static const auto responder = hierarchy.ocsp_responder();
    pki::Index index;
    if (known)
        index.push_back({test::serial_of(card()), card().not_after(), revoked_at, "card"});
    return pki::ocsp_answer(request, hierarchy.issuing(), responder, index, start);
}

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("over HTTP: a responder's good, revoked and unknown, nonce required")
    {
        Server good{1, [](ByteView request) { return answer_of_pki(request, true); }};
        CHECK(ask(good.url()).is_good());
        Server revoked{1, [](ByteView request) { return answer_of_pki(request, true, start); }};
        CHECK(ask(revoked.url()).is_revoked());
        Server unknown{1, [](ByteView request) { return answer_of_pki(request, false); }};
        CHECK(ask(unknown.url()).why == RevocationDoubt::not_known);
    }

    TEST_CASE("over HTTP: an answer recorded before has another nonce")
    {
        Bytes recorded;
        Server first{1, [&](ByteView request) {
                         recorded = answer_of_pki(request, true);
                         return recorded;
                     }};
        REQUIRE(ask(first.url()).is_good());
        Server again{1, [&](ByteView) { return recorded; }};

        CHECK(ask(again.url()).why == RevocationDoubt::nonce_mismatch);
    }

    TEST_CASE("over HTTP: garbage, too much and nobody are no answer")
    {
        Server garbage{1, [](ByteView) { return copy_of(octets("garbage")); }};
        CHECK(ask(garbage.url()).why == RevocationDoubt::not_an_answer);
        Server huge{1, [](ByteView) { return Bytes(x509::max_ocsp_response + 1, 0x30); }};
        CHECK(ask(huge.url()).why == RevocationDoubt::too_large);
        CHECK(ask("http://127.0.0.1:1").why == RevocationDoubt::unreachable);
    }

    TEST_CASE("over HTTP: a responder that is slow costs its deadline, not more")
    {
        const auto started = std::chrono::steady_clock::now();
        {
            Server slow{1, [](ByteView request) {
                            std::this_thread::sleep_for(x509::ocsp_fetch_deadline + 300ms);
                            return answer_of_pki(request, true);
                        }};
            CHECK(ask(slow.url()).why == RevocationDoubt::unreachable);
            CHECK(std::chrono::steady_clock::now() - started <
                  x509::ocsp_fetch_deadline + 250ms);
        }
    }

    TEST_CASE("over HTTP: a CRL as the test PKI makes it")
    {
        const auto& issuing = test::test_hierarchy().issuing();
        const auto list = [&](std::optional<EpochSeconds> revoked_at) {
            return pki::crl(issuing,
                            {{test::serial_of(card()), card().not_after(), revoked_at, "card"}},
                            test::issue_time, test::issue_time + 7 * 24h);
        };
        Server good{1, [&](ByteView) { return list({}); }};
        CHECK(ask(good.url(), Require::crl).is_good());
        Server revoked{1, [&](ByteView) { return list(start); }};
        const auto verdict = ask(revoked.url(), Require::crl);
        CHECK(verdict.is_revoked());
        CHECK(verdict.reason == x509::RevocationReason::key_compromise);
        CHECK(ask("http://127.0.0.1:1", Require::crl).why == RevocationDoubt::no_source);
    }
}
