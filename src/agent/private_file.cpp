#include "private_file.hpp"

#include "cps/base/unique_handle.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cps::agent {
namespace {

Error failed(Literal what)
{
    return {Errc::internal, what, errno};
}

bool write_all(int fd, std::string_view text)
{
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

} // namespace

Result<void> write_private_file(const std::filesystem::path& path, std::string_view text)
{
    const auto folder = path.parent_path();
    std::error_code ec;
    std::filesystem::create_directories(folder.parent_path(), ec);
    if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return failed("a folder of the person's cannot be made");

    // In the same folder, so that the rename is atomic; mkostemp makes it 0600.
    auto temporary = path.string() + ".XXXXXX";
    UniqueFd fd{::mkostemp(temporary.data(), O_CLOEXEC)};
    if (!fd)
        return failed("a file of the person's cannot be made");
    if (!write_all(fd.get(), text) || ::fsync(fd.get()) != 0 ||
        std::rename(temporary.c_str(), path.c_str()) != 0) {
        const auto error = failed("a file of the person's cannot be written");
        ::unlink(temporary.c_str());
        return error;
    }
    const UniqueFd directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory)
        ::fsync(directory.get()); // the new name, too; not all file systems can
    return {};
}

Result<std::optional<std::string>> read_private_file(const std::filesystem::path& path,
                                                     std::size_t max_size, Others others)
{
    const mode_t forbidden =
        others == Others::may_read ? S_IWGRP | S_IWOTH : mode_t{S_IRWXG | S_IRWXO};
    const UniqueFd fd{
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
    if (!fd && errno == ENOENT)
        return std::optional<std::string>{};
    if (!fd && errno == ELOOP)
        return Error{Errc::malformed_input, "a link stands in the place of a file"};
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0)
        return failed("a file of the person's cannot be read");
    if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & forbidden) != 0)
        return Error{Errc::malformed_input, "a file that is not the person's alone"};

    std::string text(max_size + 1, '\0');
    std::size_t size = 0;
    while (size != text.size()) {
        const auto got = ::read(fd.get(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed("a file of the person's cannot be read");
        if (got == 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    if (size > max_size)
        return Error{Errc::too_large, "a file of the person's is too large"};
    text.resize(size);
    return std::optional{std::move(text)};
}

} // namespace cps::agent
