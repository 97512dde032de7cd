#include "name_lookup.hpp"

#include <netdb.h>

#include <cstring>
#include <future>
#include <memory>
#include <thread>

namespace cps::http {
namespace {

constexpr std::size_t max_addresses = 4; // tried; more would only eat the deadline

using Addresses = Result<std::vector<SocketAddress>>;

Addresses ask(const std::string& host, const std::string& port, int flags)
{
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* raw = nullptr;
    if (const int fault = getaddrinfo(host.c_str(), port.c_str(), &wanted, &raw); fault != 0)
        return Error{Errc::no_service, "the host's name is not known", fault};
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned{raw, &freeaddrinfo};
    std::vector<SocketAddress> found;
    for (const auto* each = raw; each != nullptr && found.size() < max_addresses;
         each = each->ai_next) {
        SocketAddress address;
        if (each->ai_addrlen > sizeof address.storage)
            continue;
        std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
        address.size = each->ai_addrlen;
        found.push_back(address);
    }
    return found;
}

} // namespace

Addresses look_up(const std::string& host, const std::string& port, Time::time_point deadline)
{
    if (auto numeric = ask(host, port, AI_NUMERICHOST))
        return numeric;
    // getaddrinfo has no deadline and cannot be stopped: past ours it ends by itself, within
    // resolv.conf's limits, and nobody listens.
    std::packaged_task<Addresses()> task{[host, port] { return ask(host, port, 0); }};
    auto answer = task.get_future();
    std::thread{std::move(task)}.detach();
    if (answer.wait_until(deadline) != std::future_status::ready)
        return too_late();
    return answer.get();
}

} // namespace cps::http
