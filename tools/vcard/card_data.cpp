#include "vcard/card_data.hpp"

#include "cps/base/error.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>

namespace cps::vcard {

namespace {

constexpr std::size_t max_file_size = 16 * 1024; // octets; a certificate has about 2,200
constexpr std::size_t serial_digits = 8;
constexpr std::size_t card_number_digits = 10;

std::string read_file(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    std::string content(max_file_size + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(file.gcount()));
    if (content.empty())
        throw Error{Errc::malformed_input, "a file of the card directory is missing or empty"};
    if (content.size() > max_file_size)
        throw Error{Errc::malformed_input, "a file of the card directory is too long"};
    return content;
}

Bytes read_octets(const std::filesystem::path& path)
{
    return copy_of(octets(read_file(path)));
}

std::string digits(const toml::table& table, std::string_view key, std::size_t count)
{
    auto text = table[key].value_or(std::string{});
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != count || !std::ranges::all_of(text, is_digit))
        throw Error{Errc::malformed_input,
                    "card.toml: serial wants 8 digits, card_number wants 10"};
    return text;
}

Generation generation_of(const toml::table& table)
{
    const auto name = table["generation"].value_or(std::string{});
    if (name == "cps3")
        return Generation::cps3;
    if (name == "cps4")
        return Generation::cps4;
    throw Error{Errc::malformed_input, "card.toml: generation is neither cps3 nor cps4"};
}

Interface interface_of(const toml::table& table)
{
    const auto name = table["interface"].value_or(std::string{"contact"});
    if (name == "contact")
        return Interface::contact;
    if (name == "contactless")
        return Interface::contactless;
    throw Error{Errc::malformed_input,
                "card.toml: interface is neither contact nor contactless"};
}

toml::table parse(const std::string& text)
{
    try {
        return toml::parse(text);
    } catch (const toml::parse_error&) {
        throw Error{Errc::malformed_input, "card.toml is no TOML"};
    }
}

} // namespace

CardData read_card_directory(const std::filesystem::path& directory)
{
    const auto table = parse(read_file(directory / "card.toml"));
    CardData data;
    data.generation = generation_of(table);
    data.interface = interface_of(table);
    data.serial = digits(table, "serial", serial_digits);
    data.card_number = digits(table, "card_number", card_number_digits);
    data.auth_certificate = read_octets(directory / "auth.der");
    data.auth_key = read_file(directory / "auth.key");
    if (data.interface == Interface::contact) {
        data.sign_certificate = read_octets(directory / "sign.der");
        data.sign_key = read_file(directory / "sign.key");
    }
    return data;
}

} // namespace cps::vcard
