#include "head_scanner.hpp"

namespace cps::http {

HeadScanner::Verdict HeadScanner::step(char octet) noexcept
{
    const auto value = static_cast<unsigned char>(octet);
    if (after_cr_)
        return octet == '\n' ? line_feed() : Verdict::refused;
    if (octet == '\r') {
        after_cr_ = true;
        return Verdict::goes_on;
    }
    const bool blank = octet == ' ' || octet == '\t';
    if (blank && line_ == 0)
        return Verdict::refused; // a folded line, or a space before the request line
    if ((value < 0x20 && octet != '\t') || value == 0x7F)
        return Verdict::refused;
    ++line_;
    return Verdict::goes_on;
}

HeadScanner::Verdict HeadScanner::line_feed() noexcept
{
    after_cr_ = false;
    if (line_ != 0) {
        line_ = 0;
        ++lines_;
        return Verdict::goes_on;
    }
    if (lines_ != 0)
        return Verdict::ended;
    // One empty line is passed over (RFC 9112, 2.2), more are not a request.
    if (blank_seen_)
        return Verdict::refused;
    blank_seen_ = true;
    return Verdict::blank;
}

} // namespace cps::http
