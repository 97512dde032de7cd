#include "cps/apdu/command.hpp"

#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"

#include <algorithm>

namespace cps::apdu {

Command::~Command()
{
    wipe(bytes_);
}

Command& Command::with_data(ByteView data)
{
    if (data.empty() || data.size() > max_command_data)
        throw Error{Errc::bad_argument, "a short command takes 1 to 255 octets"};
    bytes_[4] = static_cast<std::uint8_t>(data.size());
    std::ranges::copy(data, bytes_.begin() + 5);
    size_ = body_end_ = 5 + data.size();
    return *this;
}

Command& Command::with_le(std::size_t le)
{
    if (le == 0 || le > max_le)
        throw Error{Errc::bad_argument, "a short command asks for 1 to 256 octets"};
    bytes_[body_end_] = static_cast<std::uint8_t>(le); // 256 goes as 00
    size_ = body_end_ + 1;
    return *this;
}

} // namespace cps::apdu
