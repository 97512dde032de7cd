#include "cps/token/feature_list.hpp"

#include "cps/token/json.hpp"

#include <algorithm>

namespace cps::token {

std::optional<std::vector<Feature>> feature_list(const boost::json::object& object,
                                                 std::string_view name)
{
    const auto* array = array_member(object, name);
    if (array == nullptr || array->empty() || array->size() > max_features)
        return std::nullopt;

    std::vector<Feature> features;
    for (const auto& entry : *array) {
        if (!entry.is_string())
            return std::nullopt;
        auto feature = Feature::parse(std::string_view{entry.get_string()});
        if (!feature || std::ranges::find(features, *feature) != features.end())
            return std::nullopt;
        features.push_back(*std::move(feature));
    }
    return features;
}

boost::json::array to_json_array(const std::vector<Feature>& features)
{
    boost::json::array names;
    for (const auto& feature : features)
        names.emplace_back(feature.str());
    return names;
}

} // namespace cps::token
