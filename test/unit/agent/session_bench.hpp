#pragma once

#include "sessions.hpp"

#include "cps/base/encoding.hpp"
#include "cps/token/json.hpp"

#include <algorithm>

#include <string>
#include <vector>

namespace cps::agent::test {

using namespace std::chrono_literals;

class FakeClock final : public Clock {
public:
    EpochSeconds now() const override { return epoch_seconds(1790000000); }
    std::chrono::steady_clock::time_point steady() const override { return at; }
    std::chrono::steady_clock::time_point at{std::chrono::hours{100}};
};

struct Noted final : SessionEvents, Revoker {
    void session_opened(const SessionNews&) override { said.emplace_back("opened"); }
    void session_used(const SessionNews& news) override
    {
        said.push_back("used, left " + std::to_string(news.left));
    }
    void session_renewed(const SessionNews&) override { said.emplace_back("renewed"); }
    void session_ended(const SessionNews&, SessionEnd reason) override
    {
        said.push_back("ended: " + std::string{name_of(reason)});
    }
    void revoke(const std::string& uri, const std::string& token) override
    {
        revoked.push_back(uri + ' ' + token);
    }
    std::size_t count(std::string_view what) const
    {
        return static_cast<std::size_t>(std::ranges::count(said, what));
    }
    std::vector<std::string> said, revoked;
};

inline token::Feature feature(std::string_view name)
{
    return token::Feature::parse(name).value();
}

inline Portal portal(std::string_view origin = "https://portal.example")
{
    Portal made{token::Origin::parse(origin).value(), {"P", ""}, {}, {}, false, {}};
    made.revoke_uri = made.origin.str() + "/revoke";
    made.features.emplace(feature("a.read"), PortalFeature{{}, FeatureMode::session, 5});
    made.features.emplace(feature("b.read"), PortalFeature{{}, FeatureMode::session, 3});
    made.features.emplace(feature("card.read"), PortalFeature{{}, FeatureMode::card, 0});
    return made;
}

inline FeatureCall call(const Portal& at, std::string_view name = "a.read")
{
    return {feature(name), token::RequestBinding::parse(
                               at.origin, "GET", at.origin.str() + "/x", std::string(43, 'A'))
                               .value()};
}

inline CardInReader card_in(std::string reader, unsigned insertion)
{
    return {std::move(reader), insertion, "serial", Bytes{1, 2, 3}};
}

inline pcsc::Snapshot readers(std::vector<pcsc::Reader> all)
{
    return {true, std::move(all)};
}

inline pcsc::Snapshot with_card(unsigned insertion = 1)
{
    return readers({{"Reader 1", pcsc::CardState::present, {}, insertion}});
}

inline Pin pin()
{
    Pin made;
    std::ranges::copy(std::string_view{"1234"}, made.buffer().begin());
    made.set_size(4);
    return made;
}

/// Sessions with a card in the reader, and short ways to use them.
struct Bench {
    Bench()
    {
        crypto::start_secure_heap();
        sessions.add_observer(noted);
        sessions.cards_are(with_card());
    }
    SessionGrant grant(std::chrono::seconds life = 600s) const
    {
        return {card,
                epoch_seconds(1790000000),
                epoch_seconds(1790000000) + life,
                clock.at,
                clock.at,
                pin()};
    }
    std::string open(std::vector<token::Feature> features = {feature("a.read")})
    {
        const auto ask = sessions.draft(at, features).value();
        return sessions.open(ask.id, "token 1", grant()).value().id;
    }
    Errc use(const std::string& id, std::string_view name = "a.read")
    {
        const auto made = sessions.feature_token(at.origin, id, call(at, name));
        return made ? Errc::not_supported : made.error().code();
    }
    static constexpr auto fine = Errc::not_supported; // what no session answers

    Config config;
    FakeClock clock;
    Noted noted;
    Portal at = portal();
    CardInReader card = card_in("Reader 1", 1);
    Sessions sessions{config, clock, noted};
};

inline std::string claim(const Result<FeatureToken>& made, std::string_view name)
{
    const auto& jws = made.value().token;
    const auto first = jws.find('.');
    const auto payload =
        from_base64url(std::string_view{jws}.substr(first + 1, jws.rfind('.') - first - 1));
    const auto parsed = token::parse_json(text_of(*payload), 4096).value();
    const auto& value = parsed.as_object().at(name);
    return value.is_string() ? std::string{value.get_string()}
                             : std::to_string(value.to_number<long long>());
}

} // namespace cps::agent::test
