#include "port_holder.hpp"

#include <array>
#include <cstdio>
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

/// The inode of the socket that listens there (proc(5), /proc/net/tcp).
std::optional<std::string> listener(std::uint16_t port)
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
            return inode;
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

} // namespace

std::string program_listening_on(std::uint16_t port)
{
    const auto inode = listener(port);
    if (!inode)
        return {};
    const auto socket = "socket:[" + *inode + ']';
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

} // namespace cps::ctl
