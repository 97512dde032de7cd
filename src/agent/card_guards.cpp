#include "card_guards.hpp"

#include "runtime_dir.hpp"

#include "cps/base/error.hpp"

#include <sys/socket.h>
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

ChildProcess start(const std::vector<std::string>& readers, pid_t worker)
{
    return {guard_path(), readers, handle_of(worker).get()};
}

/// One octet, which the guard finds when we die, if not before.
bool put_on_duty(const ChildProcess& guard) noexcept
{
    return ::send(guard.fd(), "!", 1, MSG_NOSIGNAL) == 1;
}

} // namespace

CardGuards::Duty CardGuards::stand(const std::vector<std::string>& readers, pid_t worker)
{
    if (auto ready = std::exchange(ready_, std::nullopt);
        ready && ready->worker == worker && readers_ == readers && !ready->guard.has_ended() &&
        put_on_duty(ready->guard))
        return {*this, std::move(ready->guard)};
    readers_ = readers;
    auto guard = start(readers, worker);
    if (!put_on_duty(guard))
        throw Error{Errc::module_failed, "the card's guard does not stand", errno};
    return {*this, std::move(guard)};
}

void CardGuards::make_ready(pid_t worker) noexcept
try {
    if (ready_ && ready_->worker == worker && !ready_->guard.has_ended())
        return;
    ready_.reset();
    if (worker >= 0 && !readers_.empty())
        ready_.emplace(Ready{start(readers_, worker), worker});
} catch (const std::exception&) { // NOLINT: `stand` tries again, and tells
    ready_.reset();
}

void CardGuards::relieve(ChildProcess guard) noexcept
{
    guard.strike();
    relieved_.reset();
    relieved_.emplace(std::move(guard));
}

} // namespace cps::agent
