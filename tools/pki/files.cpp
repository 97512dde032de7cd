#include "pki/files.hpp"

#include "cps/base/error.hpp"
#include "cps/base/unique_handle.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

namespace cps::pki {

void write_file(const std::filesystem::path& path, ByteView contents, Access access)
{
    auto fresh = path;
    fresh += ".new";
    ::unlink(fresh.c_str());
    const mode_t mode = access == Access::owner_only ? 0600 : 0644;
    const UniqueFd file{
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)};
    if (!file)
        throw Error{Errc::internal, "a file cannot be made", errno};
    for (auto rest = contents; !rest.empty();) {
        const auto written = ::write(file.get(), rest.data(), rest.size());
        if (written <= 0)
            throw Error{Errc::internal, "a file cannot be written", errno};
        rest = rest.subspan(static_cast<std::size_t>(written));
    }
    if (::fchmod(file.get(), mode) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0)
        throw Error{Errc::internal, "a file cannot be put in place", errno};
}

std::string read_file(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file)
        throw Error{Errc::not_found, "a file of the hierarchy is missing", errno};
    std::string text(max_file_size + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > max_file_size)
        throw Error{Errc::too_large, "a file of the hierarchy is too large"};
    return text;
}

} // namespace cps::pki
