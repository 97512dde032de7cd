#pragma once

#include "portals.hpp"

#include "cps/token/values.hpp"

#include <string>
#include <string_view>

namespace cps::agent {

/// The site of a dialog, in lines without an end: the origin to the letter; for an
/// internationalised Latin name also as it reads; for a long one first its end, which tells
/// whose it is and must not be cut off.
std::string site_lines(const token::Origin& origin, std::string_view language);

/// What a person should know before trusting that name, in one sentence for each; empty where
/// there is nothing. @param resembles the registered origin that it looks like, or empty.
std::string site_warnings(const token::Origin& origin, std::string_view resembles,
                          std::string_view language);

/// The registered origin that an unregistered one could be mistaken for, or empty.
std::string resembles_registered(const token::Origin& origin, const Portals& portals);

} // namespace cps::agent
