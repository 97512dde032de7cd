#pragma once

#include <boost/json/object.hpp>

#include <vector>

namespace cps::vectors {

/// The test vectors of docs/portal-guide.md: for each refusal code of the verifier at least one
/// token that must be refused with it, and accepted ones of every kind. Keys, certificates and
/// times are the same each time; ES256 and PS256 signatures and random identifiers are not.
std::vector<boost::json::object> make();

} // namespace cps::vectors
