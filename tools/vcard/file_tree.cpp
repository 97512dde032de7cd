#include "vcard/file_tree.hpp"

#include "vcard/tlv.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cps::vcard {

namespace {

constexpr std::uint8_t user_authentication = 0x10;
constexpr std::uint8_t secure_messaging = 0x40;
// Nothing over the contactless side: delete, terminate, activate, deactivate, update; read
// free.
constexpr std::array<std::uint8_t, 7> contactless_rule{0x7B, 0xFF, 0xFF, 0xFF,
                                                       0xFF, 0xFF, 0x00};
constexpr std::array<std::uint8_t, 1> operational{0x05};

Bytes octets_of(std::size_t number)
{
    return {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number & 0xFFU)};
}

Bytes rules(ByteView contact)
{
    return tlv(0xA1, tlv(0x8C, contact), tlv(0x9C, contactless_rule));
}

} // namespace

Condition File::condition(Access access) const noexcept
{
    if (contact_rule.empty())
        return Condition::never;
    std::size_t next = 1;
    for (unsigned bit = 0x40; bit != 0; bit >>= 1) {
        if ((contact_rule[0] & bit) == 0)
            continue;
        if (next == contact_rule.size())
            return Condition::never;
        const auto byte = contact_rule[next++];
        if (bit != static_cast<std::uint8_t>(access))
            continue;
        if (byte == 0x00)
            return Condition::always;
        const bool pin_alone =
            byte != 0xFF && (byte & user_authentication) != 0 && (byte & secure_messaging) == 0;
        return pin_alone ? Condition::after_pin : Condition::never;
    }
    return Condition::never;
}

Bytes File::control_parameters(std::uint8_t tag) const
{
    const Bytes sfi = short_id == 0 ? Bytes{} : Bytes{static_cast<std::uint8_t>(short_id << 3)};
    return tlv(tag, tlv(0x80, octets_of(content.size())), tlv(0x82, Bytes{0x01}),
               tlv(0x83, octets_of(id)), tlv(0x88, sfi), rules(contact_rule),
               tlv(0x8A, operational));
}

File* Directory::find(FileId file_id) noexcept
{
    const auto found = std::ranges::find(files, file_id, &File::id);
    return found == files.end() ? nullptr : &*found;
}

Bytes Directory::control_parameters(std::uint8_t tag) const
{
    return tlv(tag, tlv(0x82, Bytes{0x38}), tlv(0x83, octets_of(id)), tlv(0x84, aid),
               tlv(0x8A, operational));
}

FileTree::FileTree(Directory master, std::vector<Directory> applications)
    : master_{std::move(master)}, applications_{std::move(applications)}
{
}

std::optional<Selection> FileTree::by_aid(ByteView aid) noexcept
{
    if (std::ranges::equal(aid, master_.aid))
        return Selection{&master_, nullptr};
    for (auto& application : applications_)
        if (std::ranges::equal(aid, application.aid))
            return Selection{&application, nullptr};
    return std::nullopt;
}

std::optional<Selection> FileTree::by_path(ByteView path) noexcept
{
    if (path.empty())
        return Selection{&master_, nullptr};
    if (path.size() != 2 && path.size() != 4)
        return std::nullopt;

    auto* directory = &master_;
    const auto application =
        std::ranges::find(applications_, *file_id_of(path.first(2)), &Directory::id);
    if (application != applications_.end()) {
        directory = &*application;
        path = path.subspan(2);
        if (path.empty())
            return Selection{directory, nullptr};
    }
    if (path.size() != 2)
        return std::nullopt;
    if (auto* file = directory->find(*file_id_of(path)))
        return Selection{directory, file};
    return std::nullopt;
}

std::optional<FileId> file_id_of(ByteView bytes) noexcept
{
    if (bytes.size() != 2)
        return std::nullopt;
    return static_cast<FileId>((unsigned{bytes[0]} << 8) | bytes[1]);
}

} // namespace cps::vcard
