#include "port_holder.hpp"

#include <pwd.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace cps::ctl {
namespace {

namespace fs = std::filesystem;

constexpr unsigned max_lines = 100'000;      // of the table of TCP sockets
constexpr unsigned max_files = 200'000;      // open files looked at, of every process together
constexpr std::string_view listening = "0A"; // TCP_LISTEN, include/net/tcp_states.h

struct Listener {
    std::string inode;
    uid_t user = 0;
};

/// The socket that listens there (proc(5), /proc/net/tcp).
std::optional<Listener> listener(std::uint16_t port)
{
    std::array<char, 5> wanted{};
    std::snprintf(wanted.data(), wanted.size(), "%04X", port);
    std::ifstream table{"/proc/net/tcp"};
    std::string line;
    std::getline(table, line); // the heads
    for (unsigned i = 0; i != max_lines && std::getline(table, line); ++i) {
        std::istringstream words{line};
        std::string slot, local, remote, state, queues, timer, retransmits, user, probes, inode;
        words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
            probes >> inode;
        const bool ours = local.starts_with("0100007F:") || local.starts_with("00000000:");
        if (words && ours && local.ends_with(wanted.data()) && state == listening)
            return Listener{inode, static_cast<uid_t>(std::strtoul(user.c_str(), nullptr, 10))};
    }
    return std::nullopt;
}

bool is_number(const std::string& name)
{
    return name.find_first_not_of("0123456789") == std::string::npos;
}

std::string name_of_process(const fs::path& process)
{
    std::ifstream file{process / "comm"};
    std::string name;
    std::getline(file, name);
    return name;
}

/// Empty where the process is not ours to look at.
std::string program_with(const std::string& inode)
{
    const auto socket = "socket:[" + inode + ']';
    unsigned looked_at = 0;
    std::error_code ec;
    for (fs::directory_iterator process{"/proc", ec}, none; !ec && process != none;
         process.increment(ec)) {
        if (!is_number(process->path().filename()))
            continue;
        std::error_code closed; // another user's
        for (fs::directory_iterator file{process->path() / "fd", closed};
             !closed && file != none; file.increment(closed)) {
            if (++looked_at == max_files)
                return {};
            std::error_code gone;
            if (fs::read_symlink(file->path(), gone) == socket)
                return name_of_process(process->path()) + " (pid " +
                       process->path().filename().string() + ')';
        }
    }
    return {};
}

} // namespace

std::string PortHolder::str() const
{
    const auto* const entry = ::getpwuid(user); // NOLINT: one thread
    const auto name = entry != nullptr ? std::string{entry->pw_name} : std::to_string(user);
    return (program.empty() ? "" : program + ", ") + "user " + name;
}

std::optional<PortHolder> port_holder(std::uint16_t port)
{
    const auto found = listener(port);
    if (!found)
        return std::nullopt;
    return PortHolder{found->user, program_with(found->inode)};
}

bool is_broker(const PortHolder& holder, const std::filesystem::path& socket)
{
    struct stat info {};
    if (holder.user != 0 || !socket.is_absolute() || ::lstat(socket.c_str(), &info) != 0 ||
        !S_ISSOCK(info.st_mode) || info.st_uid != 0)
        return false;
    for (auto folder = socket.parent_path();; folder = folder.parent_path()) {
        if (::lstat(folder.c_str(), &info) != 0 || info.st_uid != 0 ||
            ((info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0))
            return false;
        if (folder == folder.root_path())
            return true;
    }
}

} // namespace cps::ctl
