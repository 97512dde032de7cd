#pragma once

#include "pki/hierarchy.hpp"
#include "pki/revocation.hpp"

#include <cstdint>
#include <filesystem>

namespace cps::pki {

/// Days that the CRLs of `new` and `crl` hold; IGC-Santé's are made daily.
inline constexpr std::chrono::days crl_life{7};

/// Makes the whole folder that docs call DIR. Keys are written 0600.
/// @param directory absent or empty. @throws Error bad_request otherwise; internal with errno.
void write_hierarchy(const std::filesystem::path& directory, std::uint64_t seed,
                     EpochSeconds at, unsigned ca_bits = 4096);

/// What DIR holds that is needed to answer for it later.
struct Stored {
    std::uint64_t seed = 0;
    Authority root;
    Authority issuing;
    Authority responder;
    Authority tls;
    Index index;
};
/// @throws Error not_found, malformed_input.
Stored load_hierarchy(const std::filesystem::path& directory);

/// Writes both CRLs anew, from `now`.
void write_crls(const std::filesystem::path& directory, const Authority& root,
                const Authority& issuing, const Index& index, EpochSeconds now);

/// `server.key` and `server.pem` for a TLS server.
void write_tls_server(const std::filesystem::path& directory, const Authority& server);

} // namespace cps::pki
