#include "cps/base/child_process.hpp"

#include "cps/base/error.hpp"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

extern char** environ; // NOLINT: POSIX

namespace cps {
namespace {

pid_t spawn(const std::string& program, const std::vector<std::string>& arguments,
            int child_end, int handed)
{
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 2);
    argv.push_back(const_cast<char*>(program.c_str()));
    for (const auto& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_end, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_end, STDOUT_FILENO);
    if (handed >= 0)
        posix_spawn_file_actions_adddup2(&actions, handed, ChildProcess::handed_fd);
    const int last = handed >= 0 ? ChildProcess::handed_fd : STDERR_FILENO;
    posix_spawn_file_actions_addclosefrom_np(&actions, last + 1);
    // A thread of ours may have signals blocked; the child starts with none.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    pid_t pid = -1;
    const auto rc =
        posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (rc != 0)
        throw Error{Errc::internal, "a helper program could not be started", rc};
    return pid;
}

} // namespace

void FileTraits::close(type fd) noexcept
{
    ::close(fd);
}

ChildProcess::ChildProcess(const std::string& program,
                           const std::vector<std::string>& arguments, int handed)
{
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw Error{Errc::internal, "no socket pair for a helper program", errno};
    socket_.reset(ends[0]);
    const UniqueFd child_end{ends[1]};
    pid_ = spawn(program, arguments, child_end.get(), handed);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : socket_{std::move(other.socket_)}, pid_{std::exchange(other.pid_, -1)}
{
}

ChildProcess::~ChildProcess()
{
    kill();
}

bool ChildProcess::has_ended() noexcept
{
    if (pid_ >= 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
        pid_ = -1;
    return pid_ < 0;
}

void ChildProcess::strike() noexcept
{
    if (pid_ >= 0)
        ::kill(pid_, SIGKILL);
}

void ChildProcess::kill() noexcept
{
    if (pid_ < 0)
        return;
    strike();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

} // namespace cps
