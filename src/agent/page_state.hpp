#pragma once

#include <boost/json/object.hpp>

namespace cps::agent {

struct Services;

/// What the status page shows, in the person's language: `{"language","version","port",
/// "service","card","readers":[{"name","card","holder"?,"not_after"?}],"problems":[…],
/// "sessions":[…],"consents":[…],"portals":[…],"journal":[…]}`.
boost::json::object page_state(const Services& services);

} // namespace cps::agent
