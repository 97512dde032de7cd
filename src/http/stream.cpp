#include "cps/http/stream.hpp"

#include <utility>

namespace cps::http {

void Stream::write(std::string_view octets)
{
    const std::scoped_lock lock{mutex_};
    if (ended_ || too_far_behind_)
        return;
    if (octets.size() > max_waiting - waiting_.size()) {
        too_far_behind_ = true;
        waiting_ = {};
        woken_ = false; // the connection may be at work: it must hear of this
    } else {
        waiting_.append(octets);
    }
    wake();
}

void Stream::end()
{
    const std::scoped_lock lock{mutex_};
    ended_ = true;
    wake();
}

void Stream::attach(std::function<void()> wake_up)
{
    const std::scoped_lock lock{mutex_};
    wake_ = std::move(wake_up);
    wake();
}

/// Once, however much is written until the connection comes to it.
void Stream::wake()
{
    if (!wake_ || woken_)
        return;
    woken_ = true;
    wake_();
}

Stream::Waiting Stream::take()
{
    const std::scoped_lock lock{mutex_};
    woken_ = false;
    return {std::exchange(waiting_, {}), ended_};
}

bool Stream::too_far_behind() const
{
    const std::scoped_lock lock{mutex_};
    return too_far_behind_;
}

} // namespace cps::http
