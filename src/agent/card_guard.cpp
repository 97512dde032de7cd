#include "card_guard.hpp"

#include "runtime_dir.hpp"

#include "cps/base/error.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace cps::agent {
namespace {

/// The worker and no other process, though its number were given away again.
UniqueFd handle_of(pid_t worker)
{
    UniqueFd handle{static_cast<int>(::syscall(SYS_pidfd_open, worker, 0))};
    if (!handle)
        throw Error{Errc::module_failed, "the module's process cannot be guarded", errno};
    return handle;
}

} // namespace

CardGuard::CardGuard(const std::vector<std::string>& readers, pid_t worker)
    : guard_{guard_path(), readers, handle_of(worker).get()}
{
}

} // namespace cps::agent
