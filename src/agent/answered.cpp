#include "answered.hpp"

#include <algorithm>

namespace cps::agent {

bool AnsweredNonces::contains(const token::Origin& origin, const std::string& nonce) const
{
    return seen_.contains({origin, nonce});
}

void AnsweredNonces::add(const token::Origin& origin, const std::string& nonce)
{
    const Key key{origin, nonce};
    if (!seen_.insert(key).second)
        return;
    order_.push_back(key);
    if (order_.size() > capacity) {
        seen_.erase(order_.front());
        order_.pop_front();
    }
}

void CoolDown::refused(const token::Origin& origin, Time now)
{
    if (waits_.size() >= capacity && !waits_.contains(origin))
        waits_.clear();
    auto& wait = waits_[origin];
    // A refusal long ago does not count any more.
    const bool recent = now - wait.until < longest;
    wait.length =
        recent && wait.length.count() != 0 ? std::min(wait.length * 2, longest) : first;
    wait.until = now + wait.length;
}

void CoolDown::agreed(const token::Origin& origin)
{
    waits_.erase(origin);
}

bool CoolDown::must_wait(const token::Origin& origin, Time now) const
{
    const auto found = waits_.find(origin);
    return found != waits_.end() && now < found->second.until;
}

} // namespace cps::agent
