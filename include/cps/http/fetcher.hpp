#pragma once

#include "cps/base/fetcher.hpp"

namespace cps::http {

/// Fetches over plain HTTP, as CRLs and OCSP answers are published: they are signed. No
/// redirect is followed, nothing is kept between calls. Thread-safe.
class HttpFetcher final : public Fetcher {
public:
    Result<Bytes> fetch(const FetchRequest& request) override;
};

} // namespace cps::http
