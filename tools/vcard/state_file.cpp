#include "vcard/state_file.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>

namespace cps::vcard {

namespace {

unsigned counter(const toml::table& table, std::string_view key, unsigned max)
{
    const auto value = table[key].value_or(std::int64_t{-1});
    if (value < 0 || value > std::int64_t{max})
        throw Error{Errc::malformed_input, "the state file has no such counter"};
    return static_cast<unsigned>(value);
}

PaddedCode code(const toml::table& table, std::string_view key)
{
    const auto octets = from_hex(table[key].value_or(std::string{}));
    PaddedCode value;
    if (!octets || octets->size() != value.size())
        throw Error{Errc::malformed_input, "the state file has no such code"};
    std::ranges::copy(*octets, value.begin());
    return value;
}

} // namespace

std::optional<PinState> StateFile::load() const
{
    if (path_.empty() || !std::filesystem::exists(path_))
        return std::nullopt;
    try {
        const auto table = toml::parse_file(path_.string());
        return PinState{code(table, "pin"), code(table, "puk"),
                        counter(table, "pin_tries", max_pin_tries),
                        counter(table, "puk_tries", max_puk_tries),
                        counter(table, "puk_uses", max_puk_uses)};
    } catch (const toml::parse_error&) {
        throw Error{Errc::malformed_input, "the state file is no TOML"};
    }
}

void StateFile::save(const PinState& state) const
{
    namespace fs = std::filesystem;
    if (path_.empty())
        return;
    auto next = path_;
    next += ".new";
    std::error_code failure;
    fs::remove(next, failure);
    {
        std::ofstream file{next};
        fs::permissions(next, fs::perms::owner_read | fs::perms::owner_write, failure);
        file << "# What the virtual card's memory keeps; written by cps-vcard.\n"
             << "pin = \"" << to_hex(state.pin) << "\"\n"
             << "puk = \"" << to_hex(state.puk) << "\"\n"
             << "pin_tries = " << state.pin_tries << '\n'
             << "puk_tries = " << state.puk_tries << '\n'
             << "puk_uses = " << state.puk_uses << '\n';
        if (!file.flush() || failure)
            throw Error{Errc::internal, "the state file cannot be written"};
    }
    fs::rename(next, path_, failure);
    if (failure)
        throw Error{Errc::internal, "the state file cannot be replaced", failure.value()};
}

} // namespace cps::vcard
