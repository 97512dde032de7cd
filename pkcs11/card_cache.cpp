#include "card_cache.hpp"

#include "cps/base/error.hpp"
#include "cps/base/unique_handle.hpp"
#include "cps/crypto/digest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace cps::p11 {
namespace {

constexpr std::size_t max_size = 128 * 1024; // octets: two certificates and the directories
constexpr std::size_t max_files = 32;
constexpr std::chrono::seconds max_age = std::chrono::days{30};
constexpr std::array<std::uint8_t, 8> magic{'C', 'P', 'S', 'C', 'A', 'R', 'D', '1'};

void put_length(Bytes& out, std::size_t length)
{
    out.push_back(static_cast<std::uint8_t>(length >> 16 & 0xFF));
    out.push_back(static_cast<std::uint8_t>(length >> 8 & 0xFF));
    out.push_back(static_cast<std::uint8_t>(length & 0xFF));
}

std::size_t take_length(ByteView& from)
{
    if (from.size() < 3)
        throw Error{Errc::malformed_input, "a cache file is cut short"};
    const auto length = static_cast<std::size_t>(from[0]) << 16 |
                        static_cast<std::size_t>(from[1]) << 8 | from[2];
    from = from.subspan(3);
    return length;
}

ByteView take(ByteView& from)
{
    const auto length = take_length(from);
    if (length > from.size())
        throw Error{Errc::malformed_input, "a cache file is cut short"};
    const auto taken = from.first(length);
    from = from.subspan(length);
    return taken;
}

Bytes encode(const CardCache::Files& files)
{
    Bytes out{magic.begin(), magic.end()};
    for (const auto& [path, content] : files) {
        put_length(out, path.size());
        out.insert(out.end(), path.begin(), path.end());
        put_length(out, content.size());
        out.insert(out.end(), content.begin(), content.end());
    }
    const auto sum = crypto::sha256(out); // against torn writes, not against anyone
    out.insert(out.end(), sum.begin(), sum.end());
    return out;
}

CardCache::Files decode(ByteView bytes)
{
    constexpr std::size_t sum_size = 32;
    if (bytes.size() < magic.size() + sum_size ||
        !std::ranges::equal(bytes.first(magic.size()), magic) ||
        !std::ranges::equal(crypto::sha256(bytes.first(bytes.size() - sum_size)),
                            bytes.last(sum_size)))
        throw Error{Errc::malformed_input, "a cache file is not whole"};
    auto rest = bytes.subspan(magic.size(), bytes.size() - magic.size() - sum_size);
    CardCache::Files files;
    while (!rest.empty() && files.size() < max_files) {
        auto path = copy_of(take(rest));
        files[std::move(path)] = copy_of(take(rest));
    }
    return files;
}

bool only_ours(const struct stat& about, mode_t kind, mode_t mode) noexcept
{
    return about.st_uid == ::geteuid() && (about.st_mode & S_IFMT) == kind &&
           (about.st_mode & 07777) == mode;
}

/// The directory, made where it is missing; empty unless it is ours alone.
UniqueFd open_directory(const std::filesystem::path& directory, bool make)
{
    std::error_code ignored;
    if (make) {
        std::filesystem::create_directories(directory.parent_path(), ignored);
        ::mkdir(directory.c_str(), 0700);
    }
    UniqueFd fd{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    struct stat about {};
    if (fd && (::fstat(fd.get(), &about) != 0 || !only_ours(about, S_IFDIR, 0700)))
        fd.reset();
    return fd;
}

Bytes read_all(int fd, std::size_t size)
{
    Bytes bytes(size);
    std::size_t done = 0;
    while (done != size) {
        const auto got = ::read(fd, bytes.data() + done, size - done);
        if (got <= 0)
            throw Error{Errc::malformed_input, "a cache file cannot be read"};
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

bool write_all(int fd, ByteView bytes) noexcept
{
    while (!bytes.empty()) {
        const auto put = ::write(fd, bytes.data(), bytes.size());
        if (put <= 0)
            return false;
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return true;
}

/// Letters and digits alone: it comes from the card.
std::string file_name(std::string_view serial, std::string_view last_update)
{
    std::string name;
    for (const char c : std::string{serial} + "-" + std::string{last_update})
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-')
            name.push_back(c);
    return name.substr(0, 64) + ".card";
}

} // namespace

CardCache::CardCache(std::filesystem::path directory, std::string_view serial,
                     std::string_view last_update)
    : directory_{directory.empty() ? directory : directory / "cards"},
      file_{file_name(serial, last_update)}
{
}

std::optional<CardCache::Files> CardCache::load() const noexcept
{
    if (directory_.empty())
        return std::nullopt;
    try {
        const auto directory = open_directory(directory_, false);
        if (!directory)
            return std::nullopt;
        const UniqueFd fd{
            ::openat(directory.get(), file_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
        struct stat about {};
        if (!fd || ::fstat(fd.get(), &about) != 0 || !only_ours(about, S_IFREG, 0600) ||
            about.st_size < 0 || static_cast<std::size_t>(about.st_size) > max_size)
            return std::nullopt;
        const auto written = std::chrono::system_clock::from_time_t(about.st_mtime);
        if (std::chrono::system_clock::now() - written > max_age)
            return std::nullopt;
        return decode(read_all(fd.get(), static_cast<std::size_t>(about.st_size)));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

void CardCache::store(const Files& files) const noexcept
{
    if (directory_.empty())
        return;
    try {
        const auto bytes = encode(files);
        const auto directory = open_directory(directory_, true);
        if (!directory || bytes.size() > max_size)
            return;
        const auto temporary = file_.native() + "." + std::to_string(::getpid());
        ::unlinkat(directory.get(), temporary.c_str(), 0);
        const UniqueFd fd{::openat(directory.get(), temporary.c_str(),
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
        if (!fd)
            return;
        if (!write_all(fd.get(), bytes) ||
            ::renameat(directory.get(), temporary.c_str(), directory.get(), file_.c_str()) != 0)
            ::unlinkat(directory.get(), temporary.c_str(), 0);
    } catch (const std::exception&) {
        return; // no memory, no cache
    }
}

void CardCache::drop() const noexcept
{
    if (!directory_.empty())
        if (const auto directory = open_directory(directory_, false))
            ::unlinkat(directory.get(), file_.c_str(), 0);
}

} // namespace cps::p11
