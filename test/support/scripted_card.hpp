#pragma once

#include "cps/apdu/channel.hpp"
#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <deque>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>

namespace cps::test {

inline Bytes hex(std::string_view text)
{
    return from_hex(text).value();
}

/// A card that expects exactly these commands in this order, all in hexadecimal.
class ScriptedCard final : public apdu::Channel {
public:
    using Exchange = std::pair<std::string, std::string>; // sent, answered
    ScriptedCard(std::initializer_list<Exchange> script) : script_{script} {}
    void expect(std::string sent, std::string answered)
    {
        script_.emplace_back(std::move(sent), std::move(answered));
    }

    apdu::Response exchange(const apdu::Command& command) override
    {
        if (script_.empty())
            throw Error{Errc::internal, "the script has ended; another command came"};
        const auto [sent, answered] = script_.front();
        script_.pop_front();
        if (to_hex(command.bytes()) != to_hex(hex(sent)))
            throw std::runtime_error{"expected " + sent + ", got " +
                                     to_hex(command.bytes(), ' ')};
        auto bytes = hex(answered);
        const auto status =
            static_cast<std::uint16_t>(bytes[bytes.size() - 2] << 8 | bytes[bytes.size() - 1]);
        bytes.resize(bytes.size() - 2);
        return {std::move(bytes), apdu::StatusWord{status}};
    }
    bool finished() const noexcept { return script_.empty(); }

private:
    std::deque<Exchange> script_;
};

} // namespace cps::test
