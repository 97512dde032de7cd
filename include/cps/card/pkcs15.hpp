#pragma once

#include "cps/card/contents.hpp"

#include <functional>

namespace cps::card {

/// Reads the directory files of the application at `application` (ISO/IEC 7816-15:2016):
/// ODF, TokenInfo and whatever the ODF names. `read` fetches one file; a directory file that
/// it reports missing (card_refused, 6A82) counts as empty.
/// @param with_keys false leaves out PINs and private keys.
/// @throws Error malformed_input for what cannot be read as PKCS #15; whatever `read` throws.
Contents read_contents(const Path& application, bool with_keys,
                       const std::function<Bytes(const Path&)>& read);

/// TokenInfo alone: what tells whether a cached copy of the rest is still good.
TokenInfo parse_token_info(ByteView file);
Path token_info_path(const Path& application);

} // namespace cps::card
