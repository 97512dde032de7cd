#include "cps/token/challenge.hpp"

#include "cps/token/feature_list.hpp"
#include "cps/token/json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace cps::token {
namespace {

constexpr std::array<std::string_view, 5> members{"v", "nonce", "ts", "feat", "ttl"};

} // namespace

Result<Challenge> Challenge::parse(std::string_view json)
{
    const auto parsed = parse_json(json, max_size);
    if (!parsed || !parsed->is_object())
        return Error{Errc::challenge_invalid, "the challenge is not a JSON object"};
    const auto& object = parsed->get_object();
    if (!has_exactly(object, members))
        return Error{Errc::challenge_invalid, "the challenge has other members than its five"};
    if (integer_member(object, "v") != 1)
        return Error{Errc::challenge_invalid, "the challenge is of another version"};

    const auto nonce = Nonce::parse(string_member(object, "nonce").value_or(""));
    const auto issued = integer_member(object, "ts");
    auto features = feature_list(object, "feat");
    const auto ttl = integer_member(object, "ttl");
    if (!nonce || !issued || !features || !ttl || *ttl == 0)
        return Error{Errc::challenge_invalid, "a member of the challenge is not well formed"};

    return Challenge{*nonce, epoch_seconds(*issued), *std::move(features),
                     std::min(std::chrono::seconds{*ttl}, max_ttl)};
}

std::string Challenge::to_json() const
{
    return boost::json::serialize(boost::json::object{{"v", 1},
                                                      {"nonce", nonce.str()},
                                                      {"ts", to_number(issued)},
                                                      {"feat", to_json_array(features)},
                                                      {"ttl", ttl.count()}});
}

} // namespace cps::token
