#pragma once

#include "vcard/pins.hpp"
#include "vcard/reply.hpp"

namespace cps::vcard {

/// Where GET DATA stands: PINs and security environments belong to the master file, keys to
/// the application.
enum class SdoScope { master, application };

/// Security data objects of IAS ECC 1.0.1: the answer to GET DATA 3FFF.
/// @param request the command's data: 4D { 70 { BF class reference { wanted tag 80 } } }.
Reply get_security_data_object(ByteView request, SdoScope scope, const PinState& pins);

} // namespace cps::vcard
