#include "crl_cache.hpp"

#include "cps/base/unique_handle.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

namespace cps::x509 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_files = 256; // lists in one folder; IGC-Santé has about 30

Error failed()
{
    return {Errc::internal, "a revocation list cannot be written", errno};
}

bool write_all(int fd, ByteView octets)
{
    while (!octets.empty()) {
        const auto written = ::write(fd, octets.data(), octets.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        octets = octets.subspan(static_cast<std::size_t>(written));
    }
    return ::fsync(fd) == 0;
}

} // namespace

Result<Bytes> read_whole_file(const fs::path& path, std::size_t limit)
{
    // A FIFO or a device in the folder must not hold us up.
    const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct ::stat facts = {};
    if (!fd || ::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return Error{Errc::not_found, "no such file", errno};
    if (static_cast<std::uintmax_t>(facts.st_size) > limit)
        return Error{Errc::too_large, "the file is too large"};
    Bytes octets(static_cast<std::size_t>(facts.st_size));
    std::size_t have = 0;
    while (have != octets.size()) {
        const auto got = ::read(fd.get(), octets.data() + have, octets.size() - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break; // shorter now than it was
        have += static_cast<std::size_t>(got);
    }
    octets.resize(have);
    return octets;
}

Result<void> replace_file(const fs::path& path, ByteView octets)
{
    auto beside = path.string() + ".XXXXXX"; // the suffix is not a list's
    const UniqueFd fd{::mkostemp(beside.data(), O_CLOEXEC)};
    if (!fd)
        return failed();
    if (!write_all(fd.get(), octets) || ::rename(beside.c_str(), path.c_str()) != 0) {
        const auto error = failed();
        ::unlink(beside.c_str());
        return error;
    }
    const UniqueFd folder{
        ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder || ::fsync(folder.get()) != 0)
        return failed();
    return {};
}

Result<std::vector<fs::path>> crl_files(const fs::path& folder)
{
    std::error_code fault;
    std::vector<fs::path> files;
    fs::directory_iterator each{folder, fault};
    for (; !fault && each != fs::directory_iterator{}; each.increment(fault)) {
        const auto suffix = each->path().extension();
        if (suffix == ".crl" || suffix == ".der" || suffix == ".pem")
            files.push_back(each->path());
    }
    if (fault)
        return Error{Errc::not_found, "the folder cannot be read", fault.value()};
    std::ranges::sort(files);
    if (files.size() > max_files)
        files.resize(max_files);
    return files;
}

} // namespace cps::x509
