#include "journal_line.hpp"

#include "cps/base/encoding.hpp"
#include "cps/token/json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace cps::agent {
namespace json = boost::json;
namespace {

struct EventRow {
    Event event;
    std::string_view name, fr, en;
};

// clang-format off
constexpr EventRow events[] = {
    {Event::token,          "token",          "jeton demandé",                      "token asked for"},
    {Event::session,        "session",        "session demandée",                   "session asked for"},
    {Event::renew,          "renew",          "session renouvelée",                 "session renewed"},
    {Event::session_end,    "session_end",    "session terminée",                   "session ended"},
    {Event::features,       "features",       "jetons de fonction",                 "feature tokens"},
    {Event::pin_change,     "pin_change",     "changement du code porteur",         "change of the card's code"},
    {Event::pin_unblock,    "pin_unblock",    "déblocage du code porteur",          "unblocking of the card's code"},
    {Event::consent,        "consent",        "accord mémorisé",                    "consent remembered"},
    {Event::consent_end,    "consent_end",    "accord retiré",                      "consent withdrawn"},
    {Event::portal_added,   "portal_added",   "portail ajouté",                     "portal added"},
    {Event::portal_removed, "portal_removed", "portail retiré",                     "portal removed"},
    {Event::port_taken,     "port_taken",     "port tenu par un autre programme",   "port held by another program"},
    {Event::refused,        "refused",        "refusé sans vous être demandé",      "refused without asking you"},
    {Event::repaired,       "repaired",       "ligne coupée par une panne, retirée","line torn by a crash, dropped"},
    {Event::set_aside,      "set_aside",      "journal altéré mis de côté",         "damaged journal set aside"},
};
// clang-format on

const EventRow& row_of(Event event) noexcept
{
    return *std::ranges::find(events, event, &EventRow::event);
}

constexpr std::array<std::string_view, 8> members{"seq",    "prev",     "time",    "what",
                                                  "origin", "features", "outcome", "count"};

Error bad(Literal why)
{
    return {Errc::malformed_input, why};
}

} // namespace

std::string_view name_of(Event event) noexcept
{
    return row_of(event).name;
}

std::string_view words_of(Event event, std::string_view language) noexcept
{
    return language == "en" ? row_of(event).en : row_of(event).fr;
}

std::string to_text(const JournalLine& line)
{
    json::array features;
    for (const auto& feature : line.entry.features)
        features.emplace_back(feature);
    return json::serialize(json::object{{"seq", line.seq},
                                        {"prev", line.prev},
                                        {"time", to_number(line.time)},
                                        {"what", name_of(line.entry.event)},
                                        {"origin", line.entry.origin},
                                        {"features", std::move(features)},
                                        {"outcome", line.entry.outcome},
                                        {"count", line.entry.count}});
}

Result<JournalLine> parse_journal_line(std::string_view text)
{
    const auto parsed = token::parse_json(text, max_journal_line);
    if (!parsed || !parsed->is_object() || !token::has_exactly(parsed->get_object(), members))
        return bad("not a line of the journal");
    const auto& object = parsed->get_object();
    const auto seq = token::integer_member(object, "seq");
    const auto prev = token::string_member(object, "prev");
    const auto time = token::integer_member(object, "time");
    const auto what = token::string_member(object, "what");
    const auto origin = token::string_member(object, "origin");
    const auto* const features = token::array_member(object, "features");
    const auto outcome = token::string_member(object, "outcome");
    const auto count = token::integer_member(object, "count");
    if (!seq || !prev || !time || !what || !origin || features == nullptr || !outcome || !count)
        return bad("a member of the line is of another type");
    const auto* const row = std::ranges::find(events, *what, &EventRow::name);
    if (row == std::end(events))
        return bad("an event that this version does not know");
    JournalLine line{static_cast<std::uint64_t>(*seq),
                     std::string{*prev},
                     epoch_seconds(*time),
                     {row->event,
                      std::string{*origin},
                      {},
                      std::string{*outcome},
                      static_cast<std::uint64_t>(*count)}};
    for (const auto& feature : *features) {
        if (!feature.is_string())
            return bad("a feature that is no text");
        line.entry.features.emplace_back(std::string_view{feature.get_string()});
    }
    return line;
}

std::string chain_hash(std::string_view line)
{
    return to_base64url(crypto::sha256(octets(line)));
}

std::string JournalHead::signed_text() const
{
    return "cps-agent journal head\n" + std::to_string(seq) + '\n' + hash + '\n';
}

std::string JournalHead::to_text(ByteView signature) const
{
    return json::serialize(json::object{{"seq", seq},
                                        {"hash", hash},
                                        {"key", key},
                                        {"signature", to_base64url(signature)}}) +
           '\n';
}

Result<JournalHead> JournalHead::parse(std::string_view text, const crypto::PublicKey& trusted)
{
    constexpr std::size_t max_head = 1024; // octets: about 330 are written
    const auto parsed = token::parse_json(text, max_head);
    if (!parsed || !parsed->is_object())
        return bad("the journal's head is not JSON");
    const auto& object = parsed->get_object();
    const auto seq = token::integer_member(object, "seq");
    const auto hash = token::string_member(object, "hash");
    const auto key = token::string_member(object, "key");
    const auto signature =
        from_base64url(token::string_member(object, "signature").value_or("*"));
    if (!seq || !hash || !key || !signature)
        return bad("the journal's head lacks a member");
    JournalHead head{static_cast<std::uint64_t>(*seq), std::string{*hash}, std::string{*key}};
    if (!trusted.verify(crypto::SignatureAlgorithm::es256, octets(head.signed_text()),
                        *signature))
        return bad("the signature of the journal's head is wrong");
    return head;
}

} // namespace cps::agent
