#pragma once

#include "cps/verify/verifier.hpp"
#include "cps/x509/holder.hpp"

#include <boost/json/object.hpp>

namespace cps::ctl {

/// Who a card belongs to, as contracts.md spells it; `profession` is null where the
/// certificate does not say, `speciality` is left out.
boost::json::object to_json(const x509::Holder& holder);

/// `{"claims":{…},"holder":{…},"certificate":{"sha256","not_after"}}`: the digest of the DER in
/// lower-case hexadecimal, the date as a NumericDate.
boost::json::object to_json(const verify::Accepted& accepted);

} // namespace cps::ctl
