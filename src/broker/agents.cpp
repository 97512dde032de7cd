#include "agents.hpp"

#include "cps/base/log.hpp"
#include "cps/base/peer_user.hpp"
#include "cps/broker/protocol.hpp"
#include "passing.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace cps::broker {
namespace {

// What SO_PEERCRED says for a user without a number here (user_namespaces(7), overflowuid).
constexpr uid_t nobody_in_particular = 65534;

void told(const char* what, uid_t user)
{
    log::info(what + std::to_string(user));
}

} // namespace

std::vector<Agents::Agent>::iterator Agents::find(uid_t user)
{
    return std::ranges::find(agents_, user, &Agent::user);
}

bool Agents::alive(Agent& agent)
{
    // An agent owes no more than one octet for each connection: more is a fault of its own.
    std::array<char, max_unanswered + 1> answers;
    const auto size = recv(agent.socket.get(), answers.data(), answers.size(), MSG_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    const auto answered = static_cast<std::size_t>(size);
    if (answered == 0 || answered > agent.unanswered ||
        std::any_of(answers.begin(), answers.begin() + size,
                    [](char one) { return one != received; }))
        return false;
    agent.unanswered -= answered;
    return true;
}

void Agents::admit(UniqueFd connection)
{
    const auto user = local_peer_user(connection.get());
    if (!user || *user == nobody_in_particular)
        return log::warning("an agent whose user is not known is turned away");

    auto known = find(*user);
    // An agent that was restarted may come before we were told that the old one ended.
    if (known != agents_.end() && !alive(*known)) {
        agents_.erase(known);
        known = agents_.end();
    }
    Greeting greeting;
    greeting.port = port_;
    greeting.verdict = known != agents_.end()         ? Verdict::taken
                       : agents_.size() == max_agents ? Verdict::full
                                                      : Verdict::registered;
    if (greeting.verdict == Verdict::full)
        log::warning("an agent is turned away: too many are registered");
    if (send(connection.get(), &greeting, sizeof greeting, MSG_NOSIGNAL | MSG_DONTWAIT) !=
            sizeof greeting ||
        greeting.verdict != Verdict::registered)
        return;
    told("registered the agent of user ", *user);
    agents_.push_back({*user, std::move(connection)});
}

void Agents::pass(uid_t user, UniqueFd connection)
{
    const auto agent = find(user);
    if (agent == agents_.end())
        return told("closed a connection: no agent is registered for user ", user);
    if (agent->unanswered == max_unanswered)
        return told("closed a connection: busy is the agent of user ", user);
    switch (broker::pass(agent->socket.get(), connection.get())) {
    case Passed::done: ++agent->unanswered; return;
    case Passed::full: return told("closed a connection: busy is the agent of user ", user);
    case Passed::ended:
        told("forgot the agent of user ", user);
        agents_.erase(agent);
        return;
    }
}

void Agents::wait_for(std::vector<pollfd>& list) const
{
    for (const auto& agent : agents_)
        list.push_back({agent.socket.get(), POLLIN, 0});
}

void Agents::read_from(const pollfd* first)
{
    for (auto i = agents_.size(); i-- != 0;) {
        if (first[i].revents == 0 || alive(agents_[i]))
            continue;
        told("forgot the agent of user ", agents_[i].user);
        agents_.erase(agents_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

} // namespace cps::broker
