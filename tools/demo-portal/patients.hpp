#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace cps::portal {

/// The one query that the feature takes, `nir=` and 15 digits (the number and its key), to the
/// letter. Empty for anything else.
std::optional<std::string> nir_of_query(std::string_view raw_query);

/// A fictitious patient's record for the page; empty if there is none of that number. Every
/// number is of a place that does not exist (department 00, commune 000).
std::optional<boost::json::object> patient(std::string_view nir);

} // namespace cps::portal
