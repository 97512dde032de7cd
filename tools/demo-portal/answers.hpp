#pragma once

#include "cps/http/message.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace cps::portal {

/// What the portal itself refuses with; a token's refusal codes come from cps/verify.
enum class Problem {
    not_found,
    method_refused,
    host_refused,
    origin_refused,
    media_type_refused,
    bad_request,
    login_required,
    login_refused,
    rate_limited,
    overloaded,
    card_required,
    patient_unknown,
};

struct ProblemRow {
    Problem problem;
    unsigned status;
    std::string_view code;
    std::string_view french;
    std::string_view english;
};
const ProblemRow& row_of(Problem problem) noexcept;

http::Response json(unsigned status, const boost::json::object& body);
/// `application/problem+json` (RFC 9457) with `code` and the detail in `language`.
/// @param more members beside the standard's.
http::Response problem(Problem problem, std::string_view language,
                       boost::json::object more = {});
/// The same for a token refused with that code; the detail says what the person can do.
http::Response refusal(unsigned status, std::string_view code, std::string_view language,
                       boost::json::object more = {});

} // namespace cps::portal
