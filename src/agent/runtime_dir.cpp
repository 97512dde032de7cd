#include "runtime_dir.hpp"

#include "cps/base/error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace cps::agent {
namespace {

std::filesystem::path from_environment(const char* name)
{
    const char* const value = std::getenv(name);
    const std::filesystem::path path = value != nullptr ? value : "";
    return path.is_absolute() ? path : std::filesystem::path{};
}

} // namespace

std::filesystem::path default_runtime_dir()
{
    const auto base = from_environment("XDG_RUNTIME_DIR");
    return base.empty() ? base : base / "cps-agent";
}

std::filesystem::path personal_config_dir()
{
    if (const auto base = from_environment("XDG_CONFIG_HOME"); !base.empty())
        return base / "cps-agent";
    const auto home = from_environment("HOME");
    return home.empty() ? home : home / ".config" / "cps-agent";
}

std::filesystem::path personal_state_dir()
{
    if (const auto base = from_environment("XDG_STATE_HOME"); !base.empty())
        return base / "cps-agent";
    const auto home = from_environment("HOME");
    return home.empty() ? home : home / ".local" / "state" / "cps-agent";
}

namespace {

/// A helper program: installed, or beside us in a build folder.
std::string helper_path(const std::string& build_folder, const std::string& name)
{
    std::error_code ec;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", ec);
    for (const auto& candidate :
         {self.parent_path() / name, self.parent_path().parent_path() / build_folder / name,
          self.parent_path().parent_path().parent_path() / "src" / build_folder / name,
          std::filesystem::path{CPS_LIBEXECDIR} / name})
        if (::access(candidate.c_str(), X_OK) == 0)
            return candidate;
    throw Error{Errc::module_failed, "a helper program is not installed"};
}

} // namespace

std::string worker_path()
{
    return helper_path("pkcs11_client", "cps-agent-worker");
}

std::string poster_path()
{
    return helper_path("poster", "cps-agent-poster");
}

std::string guard_path()
{
    return helper_path("guard", "cps-agent-guard");
}

RuntimeDir::RuntimeDir(std::filesystem::path path) : path_{std::move(path)}
{
    std::error_code ec;
    std::filesystem::create_directories(path_.parent_path(), ec);
    if (::mkdir(path_.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        throw Error{Errc::internal, "the runtime folder cannot be made", errno};
    struct stat info {};
    if (::lstat(path_.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) ||
        info.st_uid != ::geteuid())
        throw Error{Errc::internal, "the runtime folder is not ours"};
    if (::chmod(path_.c_str(), S_IRWXU) != 0)
        throw Error{Errc::internal, "the runtime folder cannot be closed to others", errno};
    // Never unlinked: a lock on a file without a name would not be seen by the next agent.
    lock_.reset(::open((path_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                       S_IRUSR | S_IWUSR));
    if (!lock_)
        throw Error{Errc::internal, "the runtime folder's lock cannot be opened", errno};
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
        throw Error{errno == EWOULDBLOCK ? Errc::busy : Errc::internal,
                    "an agent of this person runs already; this one ends", errno};
}

RuntimeDir::~RuntimeDir()
{
    std::error_code ec;
    std::filesystem::remove(path_ / "port", ec);
    std::filesystem::remove(path_ / "control.sock", ec);
}

void RuntimeDir::write_port(std::uint16_t port) const
{
    const auto temporary = path_ / "port.new";
    {
        std::ofstream file{temporary, std::ios::trunc};
        file << port << '\n';
        if (!file.flush())
            throw Error{Errc::internal, "the port file cannot be written"};
    }
    std::filesystem::rename(temporary, path_ / "port");
}

} // namespace cps::agent
