#include "vcard/apdu_log.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <algorithm>
#include <array>

namespace cps::vcard {

namespace {

constexpr std::array<std::uint8_t, 3> instructions_with_code{0x20, 0x24, 0x2C};
constexpr std::size_t data_offset = 5;

bool carries_code(ByteView command)
{
    return command.size() > data_offset &&
           std::ranges::find(instructions_with_code, command[1]) !=
               instructions_with_code.end();
}

std::string_view name_of(std::uint8_t control)
{
    switch (control) {
    case 0: return "off";
    case 1: return "on";
    case 2: return "reset";
    default: return "unknown";
    }
}

} // namespace

std::string log_line_of_command(ByteView command)
{
    constexpr std::size_t letters_an_octet = 3; // two digits and a space
    auto digits = to_hex(command, ' ');
    if (carries_code(command))
        for (auto i = data_offset; i != command.size(); ++i)
            if (command[i] >= '0' && command[i] <= '9')
                digits.replace(i * letters_an_octet, 2, "2A"); // "*", and still hexadecimal
    return "> " + digits;
}

std::string log_line_of_response(ByteView response)
{
    return "< " + to_hex(response, ' ');
}

std::string log_line_of_control(std::uint8_t control)
{
    return "-- ctrl " + std::to_string(control) + " (" + std::string{name_of(control)} + ")";
}

ApduLog::ApduLog(const std::filesystem::path& path) : file_{path, std::ios::app}
{
    if (!file_)
        throw Error{Errc::internal, "the APDU log cannot be opened"};
}

void ApduLog::write(const std::string& line)
{
    if (file_.is_open())
        file_ << line << std::endl;
}

} // namespace cps::vcard
