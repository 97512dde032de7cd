#pragma once

#include "cps/base/bytes.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace cps::vcard {

/// "> 00 A4 …": the command in hexadecimal, with the digits of a code (VERIFY, CHANGE, RESET
/// RETRY COUNTER) shown as 2A ("*"), since a log keeps no PIN.
std::string log_line_of_command(ByteView command);
/// "< … 90 00".
std::string log_line_of_response(ByteView response);
/// "-- ctrl 1 (on)".
std::string log_line_of_control(std::uint8_t control);

/// The exchanges, one line each way, each line flushed. Appends.
class ApduLog {
public:
    /// Writes nothing.
    ApduLog() = default;
    /// @throws Error internal when the file cannot be opened.
    explicit ApduLog(const std::filesystem::path& path);
    void write(const std::string& line);

private:
    std::ofstream file_;
};

} // namespace cps::vcard
