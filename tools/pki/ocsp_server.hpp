#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/unique_handle.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace cps::pki {

/// A plain HTTP/1.1 server for OCSP (RFC 6960, appendix A): POST with the DER as body, GET
/// with its base64 as path. One client at a time, one answer a connection: it serves tests.
class OcspServer {
public:
    /// @param host numeric IPv4 address. @param port 0: any free one.
    /// @throws Error internal with errno.
    OcspServer(const std::string& host, std::uint16_t port);
    std::uint16_t port() const noexcept { return port_; }
    /// Waits for one client and serves it. A client that says nothing is left after 5 s.
    void serve_one(const std::function<Bytes(ByteView)>& answer);

private:
    UniqueFd listener_;
    std::uint16_t port_ = 0;
};

} // namespace cps::pki
