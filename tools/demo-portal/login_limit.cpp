#include "login_limit.hpp"

#include <algorithm>

namespace cps::portal {

void LoginLimit::forget_old()
{
    const auto start = clock_.steady() - window;
    const auto drop = [&](Times& times) {
        while (!times.empty() && times.front() <= start)
            times.pop_front();
    };
    drop(all_);
    for (auto entry = by_login_.begin(); entry != by_login_.end();) {
        drop(entry->second);
        entry = entry->second.empty() ? by_login_.erase(entry) : std::next(entry);
    }
}

std::optional<std::chrono::seconds> LoginLimit::wait(std::string_view login)
{
    forget_old();
    const auto found = by_login_.find(login);
    const Times* full = nullptr;
    if (found != by_login_.end() && found->second.size() >= failures_for_a_login)
        full = &found->second;
    else if (all_.size() >= failures_in_all)
        full = &all_;
    if (full == nullptr)
        return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(full->front() + window - clock_.steady());
}

void LoginLimit::failed(std::string_view login)
{
    forget_old();
    all_.push_back(clock_.steady());
    by_login_[std::string{login}].push_back(clock_.steady());
}

void LoginLimit::succeeded(std::string_view login)
{
    if (const auto found = by_login_.find(login); found != by_login_.end())
        by_login_.erase(found);
    if (!all_.empty())
        all_.pop_back(); // the try that `failed` counted beforehand
}

} // namespace cps::portal
