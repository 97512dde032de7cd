// cps-bench-verify FILE: the library beside OpenSSL alone, one thread. Writes what the other
// verifiers of the run need to FILE, then runs a batch for each name on standard input and
// answers with its nanoseconds of processor time for one token. tools/bench/verify.py drives
// it.
#include "bare.hpp"
#include "scenario.hpp"

#include "pki/extensions.hpp"

#include "cps/base/fetcher.hpp"
#include "cps/x509/revocation_checker.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/pem.h>

#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>

using namespace cps;

namespace {

using bench::Case;

std::string pem_of(const crypto::PublicKey& key)
{
    const crypto::ossl::UniqueBio out{BIO_new(BIO_s_mem())};
    PEM_write_bio_PUBKEY(out.get(), key.native());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

/// Processor time, which others on the machine do not stretch as they stretch the wall's.
double nanoseconds_of(const std::function<void()>& work)
{
    const auto now = [] {
        ::timespec time{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
    };
    const auto begun = now();
    work();
    return now() - begun;
}

class Bench {
public:
    Bench()
        : clock_{scenario_.now},
          store_{clock_},
          trust_{x509::TrustStore::from_pem(scenario_.trust_pem).value()},
          crls_{trust_.anchors(), clock_},
          revocation_{
              {.require = x509::RevocationPolicy::Require::ocsp}, {}, crls_, fetcher_, clock_},
          known_{policy(), trust_, store_, clock_, &revocation_},
          first_{policy(), trust_, store_, clock_, &revocation_},
          bare_trust_{scenario_.trust_pem, scenario_.now}
    {
        for (const auto& login : scenario_.logins) {
            card_keys_.push_back(key_of(login));
            bare_rs256_.push_back(
                bench::bare_signature(login.token, card_keys_.back().native()));
        }
        for (const auto& feature : scenario_.features)
            bare_es256_.push_back(bench::bare_signature(
                feature.token, scenario_.cards[feature.card].session_key.native()));
    }

    void write(const char* path) const
    {
        boost::json::array logins, features;
        for (const auto& login : scenario_.logins)
            logins.push_back({{"token", login.token}, {"key", pem_of(key_of(login))}});
        for (const auto& feature : scenario_.features)
            features.push_back(
                {{"token", feature.token},
                 {"key", pem_of(scenario_.cards[feature.card].session_key.public_key())}});
        std::ofstream{path} << boost::json::serialize(
            boost::json::object{{"origin", scenario_.origin.str()},
                                {"now", to_number(scenario_.now)},
                                {"logins", std::move(logins)},
                                {"features", std::move(features)}});
    }

    double run(const std::string& name)
    {
        if (name == "bare_rs256")
            return bare(bare_rs256_);
        if (name == "bare_es256")
            return bare(bare_es256_);
        if (name == "login")
            return judge(known_, scenario_.logins);
        if (name == "request")
            return judge(known_, scenario_.requests);
        if (name == "feature")
            return features();
        if (name == "first_sight")
            return first_sight();
        if (name == "bare_first_sight")
            return bare_first_sight();
        throw Error{Errc::bad_argument, "no such batch"};
    }

private:
    verify::Policy policy() const
    {
        return {.audience = scenario_.origin,
                .certificate_policies = {std::string{pki::id::authentication_policy}}};
    }
    crypto::PublicKey key_of(const Case& one) const
    {
        return scenario_.cards[one.card].certificate.key().value();
    }
    static double bare(const std::vector<bench::BareSignature>& signatures)
    {
        const auto spent = nanoseconds_of([&] {
            for (const auto& each : signatures)
                bench::verify_bare(each);
        });
        return spent / static_cast<double>(signatures.size());
    }
    /// What the portal did when it sent the challenge.
    void hand_out(const Case& one)
    {
        const auto features = one.expected.kind == token::Kind::login
                                  ? std::vector{token::Feature::login()}
                                  : std::vector{scenario_.feature};
        if (!store_.remember(one.nonce, {one.expected.session, features, scenario_.now}))
            throw Error{Errc::internal, "a nonce cannot be handed out"};
    }
    static void accept(const verify::Verifier& verifier, const Case& one)
    {
        if (!verifier.verify(one.token, one.expected))
            throw Error{Errc::internal, "a good token is refused"};
    }
    double judge(const verify::Verifier& verifier, std::vector<Case>& cases)
    {
        for (std::size_t i = 0; i != cases.size(); ++i)
            hand_out(cases[i]);
        if (!warm_) { // the certificates become known
            warm_ = true;
            for (const auto& card : scenario_.cards)
                open(card);
        }
        const auto spent = nanoseconds_of([&] {
            for (const auto& each : cases)
                accept(verifier, each);
        });
        return spent / static_cast<double>(cases.size());
    }
    void open(const bench::Card& card)
    {
        (void)store_.end(card.kid);
        auto opening = card.session;
        opening.expected.staple = card.staple;
        hand_out(opening);
        accept(known_, opening);
    }
    /// The sessions are opened anew before each batch, so that each token passes once in them.
    double features()
    {
        for (const auto& card : scenario_.cards)
            open(card);
        const auto spent = nanoseconds_of([&] {
            for (const auto& each : scenario_.features)
                accept(known_, each);
        });
        return spent / static_cast<double>(scenario_.features.size());
    }
    double first_sight()
    {
        std::vector<const Case*> cases;
        for (const auto& login : scenario_.logins)
            if (cases.size() == login.card)
                cases.push_back(&login);
        std::vector<Case> stapled;
        for (const auto* each : cases) {
            hand_out(*each);
            stapled.push_back(*each);
            stapled.back().expected.staple = scenario_.cards[each->card].staple;
        }
        revocation_.clear();
        first_.forget();
        const auto spent = nanoseconds_of([&] {
            for (const auto& each : stapled)
                accept(first_, each);
        });
        return spent / static_cast<double>(stapled.size());
    }
    double bare_first_sight()
    {
        const auto spent = nanoseconds_of([&] {
            for (const auto& card : scenario_.cards)
                bare_trust_.check(card.certificate.der(), card.staple);
        });
        return spent / static_cast<double>(scenario_.cards.size());
    }

    bench::Scenario scenario_;
    bench::StoppedClock clock_;
    verify::MemoryStore store_;
    x509::TrustStore trust_;
    x509::CrlStore crls_;
    NoFetcher fetcher_;
    x509::RevocationChecker revocation_;
    verify::Verifier known_; ///< has seen every card
    verify::Verifier first_; ///< forgets them before each batch
    bench::BareTrust bare_trust_;
    std::vector<crypto::PublicKey> card_keys_;
    std::vector<bench::BareSignature> bare_rs256_, bare_es256_;
    bool warm_ = false;
};

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::cerr << "usage: cps-bench-verify FILE\n";
        return 2;
    }
    try {
        Bench bench;
        bench.write(argv[1]);
        std::cout << "ready" << std::endl;
        for (std::string name; std::getline(std::cin, name);)
            std::cout << bench.run(name) << std::endl;
        return 0;
    } catch (const Error& error) {
        std::cerr << "cps-bench-verify: " << error.what() << '\n';
        return 1;
    }
}
