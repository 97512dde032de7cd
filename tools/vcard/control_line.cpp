#include "vcard/control_line.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace cps::vcard {

namespace {

using Words = std::vector<std::string_view>;

constexpr std::size_t max_truncation = 258; // octets: the longest response

std::optional<unsigned> number(std::string_view text, int base, unsigned max)
{
    unsigned value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value, base);
    if (failure != std::errc{} || stop != end || value > max)
        return std::nullopt;
    return value;
}

std::string insert(Device& device, const Words&)
{
    device.insert();
    return "ok";
}

std::string remove(Device& device, const Words&)
{
    device.remove();
    return "ok";
}

std::string reset(Device& device, const Words&)
{
    device.reset();
    return "ok";
}

std::string block(Device& device, const Words&)
{
    device.block();
    return "ok";
}

std::string mute(Device& device, const Words&)
{
    device.faults().mute = true;
    return "ok";
}

std::string status(Device& device, const Words&)
{
    return "ok " + device.status();
}

std::string delay(Device& device, const Words& arguments)
{
    const auto value = number(arguments[0], 10, static_cast<unsigned>(max_delay.count()));
    if (!value)
        return "error delay wants milliseconds, 0 to 60000";
    device.faults().delay = std::chrono::milliseconds{*value};
    return "ok";
}

std::string fail(Device& device, const Words& arguments)
{
    const auto sw = number(arguments[0], 16, 0xFFFF);
    const auto times = arguments.size() == 2 ? number(arguments[1], 10, max_failures) : 1;
    if (arguments[0].size() != 4 || !sw || !times)
        return "error fail wants four hexadecimal digits and perhaps a number to 10000";
    device.faults().failure_status = static_cast<std::uint16_t>(*sw);
    device.faults().failures = *times;
    return "ok";
}

std::string truncate(Device& device, const Words& arguments)
{
    const auto size = number(arguments[0], 10, max_truncation);
    if (!size)
        return "error truncate wants octets, 0 to 258";
    device.faults().truncate_to = *size;
    return "ok";
}

struct Order {
    std::string_view name;
    std::size_t least_arguments;
    std::size_t most_arguments;
    std::string (*obey)(Device&, const Words&);
};

constexpr std::array<Order, 9> orders{{
    {"insert", 0, 0, insert},
    {"remove", 0, 0, remove},
    {"reset", 0, 0, reset},
    {"block", 0, 0, block},
    {"delay", 1, 1, delay},
    {"fail", 1, 2, fail},
    {"truncate", 1, 1, truncate},
    {"mute", 0, 0, mute},
    {"status", 0, 0, status},
}};

Words words_of(std::string_view line)
{
    Words words;
    while (!line.empty()) { // at most one control line
        const auto end = std::min(line.find(' '), line.size());
        if (end != 0)
            words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

} // namespace

std::string obey(Device& device, std::string_view line)
{
    auto words = words_of(line);
    if (words.empty())
        return "error empty line";
    const auto name = words.front();
    words.erase(words.begin());
    for (const auto& order : orders) {
        if (order.name != name)
            continue;
        if (words.size() < order.least_arguments || words.size() > order.most_arguments)
            return "error wrong number of arguments";
        return order.obey(device, words);
    }
    return "error unknown order";
}

} // namespace cps::vcard
