#pragma once

#include "cps/token/values.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace cps::token {

inline constexpr std::size_t max_features = 32; // shown in one dialog

/// A member that lists features: an array of 1 to max_features of them, none twice.
/// Empty when it is missing or anything else.
std::optional<std::vector<Feature>> feature_list(const boost::json::object& object,
                                                 std::string_view name);

boost::json::array to_json_array(const std::vector<Feature>& features);

} // namespace cps::token
