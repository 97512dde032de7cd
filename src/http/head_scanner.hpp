#pragma once

#include <cstddef>

namespace cps::http {

/// Looks at each octet of a request's head before the parser does, so that what other
/// servers are known to read differently never gets that far: control characters, a bare CR
/// or LF, a folded line (RFC 9112, 2.2, 5.2). One for a request.
class HeadScanner {
public:
    enum class Verdict {
        goes_on,
        blank, ///< an empty line before the request line: forget what was taken
        ended, ///< this was the last octet of the head
        refused,
    };

    Verdict step(char octet) noexcept;

private:
    Verdict line_feed() noexcept;

    bool after_cr_ = false;
    std::size_t line_ = 0;  // octets in this line so far
    std::size_t lines_ = 0; // lines that held something
    bool blank_seen_ = false;
};

} // namespace cps::http
