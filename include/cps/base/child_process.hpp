#pragma once

#include "cps/base/unique_handle.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace cps {

/// A child that we talk to over its standard input and output. Killed and reaped when the
/// object goes, so that no child outlives what it was started for. One thread at a time.
class ChildProcess {
public:
    /// Starts `program` (absolute path, no shell, no PATH search) with `arguments` after
    /// argv[0]. Only descriptors 0, 1 and 2 reach it; 0 and 1 are one end of a socket pair;
    /// and `handed`, unless -1, as `handed_fd`. @throws Error internal with errno.
    ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
                 int handed = -1);
    static constexpr int handed_fd = 3;
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();

    /// Our end of the socket pair (SOCK_STREAM).
    int fd() const noexcept { return socket_.get(); }
    pid_t pid() const noexcept { return pid_; }
    /// Whether it has ended by itself; it is reaped then.
    bool has_ended() noexcept;
    /// SIGKILL and reap; harmless when done already.
    void kill() noexcept;
    /// SIGKILL alone: it never runs again, and its end is not waited for. To be reaped later.
    void strike() noexcept;

private:
    UniqueFd socket_;
    pid_t pid_ = -1;
};

} // namespace cps
