#pragma once

#include "texts.hpp"

namespace cps::agent {

/// What follows a feature's label where the person sees it for the first time; empty where
/// the wording is brief.
std::string feature_details(const AskedFor& asked, const PortalFeature& feature);

/// What is disclosed with any token: said in full wording, and always to unknown origins.
std::string disclosure(const AskedFor& asked);

/// The last lines: what to do to agree, and that the agreement will be remembered.
std::string closing_words(const AskedFor& asked);

} // namespace cps::agent
