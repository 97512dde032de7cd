#include "consents.hpp"

#include "private_file.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/log.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/token/feature_list.hpp"
#include "cps/token/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace cps::agent {
namespace json = boost::json;
namespace {

constexpr int file_version = 1;
/// To be raised with the fixed words of the dialogs: what was agreed to before is asked anew.
constexpr int words_version = 1;
constexpr unsigned max_set_aside = 100; // bad files of one second

std::vector<token::Feature> in_order(std::vector<token::Feature> features)
{
    std::ranges::sort(features);
    return features;
}

json::object to_json(const Words& words)
{
    return {{"fr", words.fr}, {"en", words.en}};
}

/// Of all that the dialog says of the portal and of these features.
std::string digest_of(const Portal& portal, const std::vector<token::Feature>& features)
{
    json::array described;
    for (const auto& feature : features) {
        json::object one{{"id", feature.str()}};
        if (const auto found = portal.features.find(feature); found != portal.features.end()) {
            one["label"] = to_json(found->second.label);
            one["mode"] = found->second.mode == FeatureMode::card ? "card" : "session";
            one["limit"] = found->second.limit;
        }
        described.push_back(std::move(one));
    }
    const json::object all{{"words", words_version},
                           {"name", to_json(portal.name)},
                           {"features", std::move(described)}};
    return to_base64url(crypto::sha256(octets(json::serialize(all))));
}

json::object to_json(const Consent& consent)
{
    return {{"origin", consent.origin.str()},
            {"features", token::to_json_array(consent.features)},
            {"words", consent.words},
            {"given", to_number(consent.given)}};
}

std::optional<Consent> consent_of(const json::value& value)
{
    constexpr std::array<std::string_view, 4> members{"origin", "features", "words", "given"};
    if (!value.is_object() || !token::has_exactly(value.get_object(), members))
        return std::nullopt;
    const auto& object = value.get_object();
    const auto origin =
        token::Origin::parse(token::string_member(object, "origin").value_or(""));
    auto features = token::feature_list(object, "features");
    const auto words = token::string_member(object, "words");
    const auto given = token::integer_member(object, "given");
    if (!origin || !features || !words || words->size() > 64 || !given)
        return std::nullopt;
    return Consent{*origin, in_order(std::move(*features)), std::string{*words},
                   epoch_seconds(*given)};
}

std::optional<std::vector<Consent>> consents_of(std::string_view text)
{
    constexpr std::array<std::string_view, 2> members{"v", "consents"};
    const auto parsed = token::parse_json(text, Consents::max_file);
    if (!parsed || !parsed->is_object() || !token::has_exactly(parsed->get_object(), members) ||
        token::integer_member(parsed->get_object(), "v") != file_version)
        return std::nullopt;
    const auto* const list = token::array_member(parsed->get_object(), "consents");
    if (list == nullptr || list->size() > Consents::capacity)
        return std::nullopt;
    std::vector<Consent> consents;
    for (const auto& one : *list) {
        auto consent = consent_of(one);
        if (!consent)
            return std::nullopt;
        consents.push_back(std::move(*consent));
    }
    return consents;
}

} // namespace

Consents::Consents(std::filesystem::path file, std::chrono::days life, const Clock& clock)
    : file_{std::move(file)}, life_{life}, clock_{clock}
{
    if (!file_.empty())
        read();
}

void Consents::read()
{
    const auto text = read_private_file(file_, max_file);
    if (!text && text.error().code() == Errc::internal) {
        file_is_ours_ = false;
        log::error(text.error());
        return log::warning("consents are not kept: " + file_.string() + " cannot be read");
    }
    if (text && !*text)
        return;
    auto consents = text ? consents_of(**text) : std::nullopt;
    if (!consents)
        return set_aside();
    consents_ = std::move(*consents);
}

void Consents::set_aside() const
{
    const auto now = std::to_string(to_number(clock_.now()));
    std::error_code ec;
    for (unsigned i = 0; i != max_set_aside; ++i) {
        const std::filesystem::path other =
            file_.string() + ".bad-" + now + (i != 0 ? "-" + std::to_string(i) : "");
        if (std::filesystem::exists(std::filesystem::symlink_status(other, ec)))
            continue;
        std::filesystem::rename(file_, other, ec);
        break;
    }
    log::warning("consents begin anew: " + file_.string() +
                 (ec ? " is damaged" : " was damaged and set aside"));
}

Result<void> Consents::write() const
{
    if (file_.empty())
        return {};
    if (!file_is_ours_)
        return Error{Errc::internal, "the file of consents could not be read at the start"};
    json::array list;
    for (const auto& consent : consents_)
        list.push_back(to_json(consent));
    return write_private_file(file_, json::serialize(json::object{
                                         {"v", file_version}, {"consents", std::move(list)}}) +
                                         '\n');
}

bool Consents::is_alive(const Consent& consent) const
{
    // A clock that was set back would lengthen a consent: one given "later" has ended.
    const auto now = clock_.now();
    return consent.given <= now && now < consent.given + life_;
}

bool Consents::covers(const Portal& portal, const std::vector<token::Feature>& features) const
{
    const auto wanted = in_order(features);
    const auto words = digest_of(portal, wanted);
    const std::scoped_lock lock{mutex_};
    return std::ranges::any_of(consents_, [&](const Consent& consent) {
        return consent.origin == portal.origin && consent.features == wanted &&
               consent.words == words && is_alive(consent);
    });
}

void Consents::given(const Portal& portal, const std::vector<token::Feature>& features)
{
    if (life_.count() == 0)
        return;
    auto wanted = in_order(features);
    auto words = digest_of(portal, wanted);
    const std::scoped_lock lock{mutex_};
    std::erase_if(consents_, [&](const Consent& consent) {
        return !is_alive(consent) ||
               (consent.origin == portal.origin && consent.features == wanted);
    });
    if (consents_.size() >= capacity)
        consents_.erase(consents_.begin());
    consents_.push_back({portal.origin, std::move(wanted), std::move(words), clock_.now()});
    if (const auto written = write(); !written)
        log::error(written.error());
}

Result<std::size_t> Consents::remove(const token::Origin* origin)
{
    const std::scoped_lock lock{mutex_};
    const auto removed = std::erase_if(consents_, [&](const Consent& consent) {
        return origin == nullptr || consent.origin == *origin;
    });
    if (removed != 0)
        if (const auto written = write(); !written)
            return written.error();
    return removed;
}

Result<std::size_t> Consents::revoke(const token::Origin& origin)
{
    return remove(&origin);
}

Result<std::size_t> Consents::revoke_all()
{
    return remove(nullptr);
}

std::vector<Consent> Consents::all() const
{
    const std::scoped_lock lock{mutex_};
    std::vector<Consent> alive;
    std::ranges::copy_if(consents_, std::back_inserter(alive),
                         [&](const Consent& consent) { return is_alive(consent); });
    return alive;
}

} // namespace cps::agent
