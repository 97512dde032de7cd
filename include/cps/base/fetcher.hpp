#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace cps {

/// One document to fetch over the network.
struct FetchRequest {
    std::string url;                       ///< `http://host[:port]/path`, from a configuration
    std::string content_type = {};         ///< of `body`
    Bytes body = {};                       ///< empty: GET; else POST
    std::size_t max_size = 0;              ///< octets of the answer's body; more is too_large
    std::chrono::milliseconds deadline{0}; ///< for all of it: name, connection, answer
};

/// Who goes and gets CRLs and OCSP answers, which prove themselves: the transport need not.
/// Kept apart so that src/x509 opens no socket and tests need none.
class Fetcher {
public:
    virtual ~Fetcher() = default;
    /// Blocks, at most for `deadline`. Redirects are not followed. Thread-safe.
    /// Errors: bad_argument (the URL), no_service (nobody there, or any status but 200),
    /// timeout, too_large, malformed_input (not HTTP).
    virtual Result<Bytes> fetch(const FetchRequest& request) = 0;
};

/// For those who open no connection: what is known is here, or is not known.
class NoFetcher final : public Fetcher {
public:
    Result<Bytes> fetch(const FetchRequest&) override
    {
        return Error{Errc::no_service, "nothing is fetched"};
    }
};

} // namespace cps
