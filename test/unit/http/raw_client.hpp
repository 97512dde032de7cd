#pragma once

#include "cps/base/unique_handle.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cps::test {

/// One answer as it came over the wire.
struct RawAnswer {
    unsigned status = 0;
    std::string head; ///< with the status line, without the empty line
    std::string body;

    /// A field's value; nothing where it is missing.
    std::optional<std::string> field(std::string_view name) const;
};

/// A TCP or Unix socket that says exactly what a test wants said. All waits end within
/// `patience`.
class RawClient {
public:
    /// Port 0 stands for no connection.
    explicit RawClient(std::uint16_t port, const char* host = "127.0.0.1");
    explicit RawClient(const std::string& path);

    bool connected() const { return connected_; }
    /// False once the server has gone.
    bool send(std::string_view octets);
    /// The next answer, framed by Content-Length; `head_only` for HEAD. Nothing if the
    /// connection ends first.
    std::optional<RawAnswer> answer(bool head_only = false);
    /// Reads up to and with `text`; false if it does not come.
    bool hears(std::string_view text);
    /// Everything until the server closes; nothing if it does not within `patience`.
    std::optional<std::string> until_end();
    bool ends() { return until_end().has_value(); }
    /// Whether the server stays silent and connected for that long.
    bool quiet_for(std::chrono::milliseconds time);
    void shut() const;
    /// Closes with a reset.
    void abort();
    void close() { fd_.reset(); }
    void limit_receive_buffer(int octets) const;

    std::chrono::milliseconds patience{5000};

private:
    /// Adds what comes to the buffer; false at the end or after `patience`.
    bool more();

    UniqueFd fd_;
    bool connected_ = false;
    bool ended_ = false;
    std::string buffer_;
};

} // namespace cps::test
