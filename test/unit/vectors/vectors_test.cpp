// The library gives every test vector's verdict.
#include "cps/base/encoding.hpp"
#include "cps/token/json.hpp"
#include "cps/verify/verifier.hpp"
#include "cps/x509/crl_store.hpp"
#include "cps/x509/revocation_checker.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace cps;
using boost::json::object;

namespace {

struct VectorClock final : Clock {
    EpochSeconds at;
    EpochSeconds now() const override { return at; }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
};

struct NoFetcher final : Fetcher {
    Result<Bytes> fetch(const FetchRequest&) override
    {
        return Error{Errc::no_service, "a vector reaches for the network"};
    }
};

/// A store whose records cannot be asked.
class LostStore final : public verify::Store {
    static constexpr auto lost = verify::Refusal::store_unavailable;

public:
    verify::Verdict<void> remember(const token::Nonce&, verify::NonceRecord) override
    {
        return lost;
    }
    verify::Verdict<verify::NonceRecord> burn(const token::Nonce&) override { return lost; }
    verify::Verdict<void> open(verify::SessionRecord) override { return lost; }
    verify::Verdict<std::shared_ptr<const verify::SessionRecord>>
    find(std::string_view) override
    {
        return lost;
    }
    verify::Verdict<void> renew(const verify::SessionRecord&, std::string_view) override
    {
        return lost;
    }
    verify::Verdict<unsigned> use(const verify::Use&) override { return lost; }
    verify::Verdict<void> end(std::string_view) override { return lost; }
    verify::Verdict<void> charge(std::string_view, const verify::Quota&) override
    {
        return lost;
    }
};

std::string text(const object& from, const char* name, std::string otherwise = {})
{
    const auto* value = from.if_contains(name);
    return value != nullptr ? std::string{value->as_string()} : otherwise;
}

std::vector<std::string> texts(const object& from, const char* name)
{
    std::vector<std::string> list;
    if (const auto* values = from.if_contains(name))
        for (const auto& value : values->as_array())
            list.emplace_back(value.as_string());
    return list;
}

std::vector<token::Feature> features(const object& from)
{
    std::vector<token::Feature> list;
    for (const auto& name : texts(from, "features"))
        list.push_back(token::Feature::parse(name).value());
    return list;
}

verify::Expectation expectation(const object& context)
{
    verify::Expectation expected;
    expected.kind = token::kind_named(text(context, "kind")).value();
    expected.session = text(context, "session");
    expected.account_ids = texts(context, "account_ids");
    if (context.contains("feature")) {
        expected.feature = token::Feature::parse(text(context, "feature"));
        expected.request = token::RequestBinding{text(context, "htm"), text(context, "htu"),
                                                 text(context, "rid")};
        expected.card_only = text(context, "mode") == "card";
    }
    if (const auto* limit = context.if_contains("limit"))
        expected.limit = limit->to_number<unsigned>();
    expected.fresh_nonce = context.contains("fresh_nonce");
    expected.account = text(context, "account");
    if (const auto* quota = context.if_contains("quota"))
        expected.quota = {quota->at("per_hour").to_number<unsigned>(),
                          quota->at("per_day").to_number<unsigned>()};
    return expected;
}

std::string verdict_of(const object& vector)
{
    const auto& context = vector.at("context").as_object();
    VectorClock clock;
    clock.at = epoch_seconds(vector.at("at").as_int64());

    verify::MemoryStore memory{clock};
    LostStore lost;
    verify::Store& store =
        context.contains("store") ? static_cast<verify::Store&>(lost) : memory;
    for (const auto& [nonce, record] : context.at("nonces").as_object()) // none is too old yet
        clock.at = std::min(clock.at, epoch_seconds(record.at("issued").as_int64()));
    for (const auto& [nonce, record] : context.at("nonces").as_object()) {
        const auto& kept = record.as_object();
        REQUIRE(memory
                    .remember(token::Nonce::parse(nonce).value(),
                              {text(kept, "session"), features(kept),
                               epoch_seconds(kept.at("issued").as_int64())})
                    .has_value());
    }
    const auto trust = x509::TrustStore::from_pem(text(context, "trust")).value();
    x509::CrlStore crls{trust.anchors(), clock};
    NoFetcher fetcher;
    x509::RevocationChecker checker{
        {.require = x509::RevocationPolicy::Require::crl}, {}, crls, fetcher, clock};
    if (context.contains("crl"))
        (void)crls.offer(from_base64(text(context, "crl")).value());
    const verify::Verifier verifier{
        {.audience = token::Origin::parse(text(context, "audience")).value(),
         .certificate_policies = texts(context, "policies")},
        trust,
        store,
        clock,
        context.contains("crl") ? &checker : nullptr};

    if (const auto* before = context.if_contains("before"))
        for (const auto& one : before->as_array()) {
            clock.at = epoch_seconds(one.at("at").as_int64());
            REQUIRE(verifier
                        .verify(std::string{one.at("token").as_string()},
                                expectation(one.at("context").as_object()))
                        .has_value());
        }
    clock.at = epoch_seconds(vector.at("at").as_int64());
    const auto verdict = verifier.verify(text(vector, "token"), expectation(context));
    return verdict ? "accepted" : std::string{verify::code_of(verdict.error())};
}

std::vector<object> all_vectors()
{
    std::vector<object> vectors;
    const std::filesystem::path folder{std::string{std::getenv("CPS_TEST_VECTORS")} +
                                       "/tokens"};
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.path().extension() != ".json")
            continue;
        std::ifstream file{entry.path()};
        vectors.push_back(
            boost::json::parse(std::string{std::istreambuf_iterator<char>{file}, {}})
                .as_object());
    }
    return vectors;
}

} // namespace

TEST_SUITE("vectors")
{
    TEST_CASE("every vector gets its verdict")
    {
        const auto vectors = all_vectors();
        CHECK(vectors.size() > 70);
        for (const auto& vector : vectors) {
            const auto name = text(vector, "name");
            CAPTURE(name);
            CHECK(verdict_of(vector) == text(vector, "verdict"));
        }
    }

    TEST_CASE("every refusal code and every kind of token has a vector")
    {
        std::set<std::string> verdicts, accepted;
        for (const auto& vector : all_vectors()) {
            verdicts.insert(text(vector, "verdict"));
            if (text(vector, "verdict") == "accepted")
                accepted.insert(text(vector.at("context").as_object(), "kind"));
        }
        for (int code = 0; code <= static_cast<int>(verify::Refusal::store_unavailable);
             ++code) {
            const std::string name{verify::code_of(static_cast<verify::Refusal>(code))};
            CAPTURE(name);
            CHECK(verdicts.contains(name));
        }
        CHECK(accepted ==
              std::set<std::string>{"login", "session", "request", "feature", "revoke"});
    }
}
