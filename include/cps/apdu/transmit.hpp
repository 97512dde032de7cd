#pragma once

#include "cps/apdu/channel.hpp"

namespace cps::apdu {

/// Longest answer collected over GET RESPONSE; above any X.509 certificate we accept.
inline constexpr std::size_t max_response_size = 64 * 1024; // octets

/// Sends `command`, following 6Cxx once and 61xx until the card is done, each GET RESPONSE
/// on the command's logical channel.
/// @throws Error malformed_input if the card never finishes; whatever `exchange` throws.
Response transmit(Channel& card, Command& command);

/// Sends `data` in as many chained blocks as it takes (ISO/IEC 7816-4:2013, 5.3.3: CLA bit
/// 10 on all but the last) and asks for `le` octets with the last; le 0: none. The first
/// block that is refused ends it.
/// @throws Error bad_argument if `data` is empty; as `transmit`.
Response transmit_chained(Channel& card, Header header, ByteView data, std::size_t le);

} // namespace cps::apdu
