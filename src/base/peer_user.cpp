#include "cps/base/peer_user.hpp"

#include "cps/base/unique_handle.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cps {
namespace {

// The kernel answers before send(2) returns: this is for a kernel that does not.
constexpr std::chrono::milliseconds answer_time{50};
// Octets. An answer is 72 and a few small attributes.
constexpr std::size_t max_answer = 4096;
// A socket is asked one question, so any number tells its answer.
constexpr std::uint32_t sequence = 1;
// What the kernel says for a user that has no number in our user namespace
// (user_namespaces(7), overflowuid): it may be anybody.
constexpr uid_t nobody_in_particular = 65534;

constexpr std::uint32_t bit(int state)
{
    return std::uint32_t{1} << static_cast<unsigned>(state);
}
/// The client's states while a server may hold its connection: it may have shut its own side.
constexpr std::uint32_t states = bit(TCP_ESTABLISHED) | bit(TCP_FIN_WAIT1) | bit(TCP_FIN_WAIT2);

/// One end of a connection, as sock_diag tells it: both in network order.
struct End {
    std::array<std::uint32_t, 4> address{};
    std::uint16_t port = 0;
};

struct Question {
    nlmsghdr header{};
    inet_diag_req_v2 body{};
};
constexpr std::size_t head_size = sizeof(nlmsghdr);
static_assert(offsetof(Question, body) == head_size && head_size % NLMSG_ALIGNTO == 0);

bool to_end(const sockaddr_storage& name, End& end)
{
    if (name.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &name, sizeof v4);
        end.address[0] = v4.sin_addr.s_addr;
        end.port = v4.sin_port;
        return true;
    }
    if (name.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &name, sizeof v6);
        std::memcpy(end.address.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
        end.port = v6.sin6_port;
        return true;
    }
    return false;
}

/// `family`'s address in IPv6's words: a client's IPv6 socket may speak IPv4 (RFC 4291,
/// 2.5.5.2), and is then told as ::ffff:127.0.0.1.
std::array<std::uint32_t, 4> as_v6(int family, const std::uint32_t* address)
{
    if (family == AF_INET)
        return {0, 0, htonl(0xFFFF), address[0]};
    return {address[0], address[1], address[2], address[3]};
}

bool same(const inet_diag_msg& found, const inet_diag_req_v2& asked)
{
    return found.id.idiag_sport == asked.id.idiag_sport &&
           found.id.idiag_dport == asked.id.idiag_dport &&
           as_v6(found.idiag_family, found.id.idiag_src) ==
               as_v6(asked.sdiag_family, asked.id.idiag_src) &&
           as_v6(found.idiag_family, found.id.idiag_dst) ==
               as_v6(asked.sdiag_family, asked.id.idiag_dst);
}

/// The exact question: without NLM_F_DUMP, the kernel looks one socket up.
Question question(int family, const End& client, const End& ours)
{
    Question made;
    made.header.nlmsg_len = sizeof made;
    made.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    made.header.nlmsg_flags = NLM_F_REQUEST;
    made.header.nlmsg_seq = sequence;
    made.body.sdiag_family = static_cast<std::uint8_t>(family);
    made.body.sdiag_protocol = IPPROTO_TCP;
    made.body.idiag_states = states;
    made.body.id.idiag_sport = client.port;
    made.body.id.idiag_dport = ours.port;
    std::ranges::copy(client.address, made.body.id.idiag_src);
    std::ranges::copy(ours.address, made.body.id.idiag_dst);
    std::ranges::fill(made.body.id.idiag_cookie, INET_DIAG_NOCOOKIE);
    return made;
}

/// The answer to `asked` if it is one, from the kernel, and the only one.
std::optional<inet_diag_msg> ask(const Question& asked)
{
    // A new socket for each look-up: nothing of an earlier question can be in it.
    const UniqueFd fd{
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG)};
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (!fd ||
        sendto(fd.get(), &asked, sizeof asked, 0, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) != static_cast<ssize_t>(sizeof asked))
        return std::nullopt;

    pollfd one{fd.get(), POLLIN, 0};
    if (poll(&one, 1, static_cast<int>(answer_time.count())) != 1)
        return std::nullopt;
    std::array<char, max_answer> octets;
    sockaddr_nl from{};
    socklen_t from_size = sizeof from;
    const auto received = recvfrom(fd.get(), octets.data(), octets.size(), MSG_TRUNC,
                                   reinterpret_cast<sockaddr*>(&from), &from_size);
    if (from_size != sizeof from || from.nl_family != AF_NETLINK || from.nl_pid != 0)
        return std::nullopt;

    nlmsghdr header{};
    inet_diag_msg found{};
    const auto size = static_cast<std::size_t>(std::max<ssize_t>(received, 0));
    if (size < head_size + sizeof found || size > octets.size())
        return std::nullopt;
    std::memcpy(&header, octets.data(), sizeof header);
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_seq != sequence ||
        (header.nlmsg_flags & NLM_F_MULTI) != 0 ||
        header.nlmsg_len < head_size + sizeof found || header.nlmsg_len > size ||
        size - header.nlmsg_len >= NLMSG_ALIGNTO) // another message follows
        return std::nullopt;
    std::memcpy(&found, octets.data() + head_size, sizeof found);
    return found;
}

} // namespace

std::optional<uid_t> local_peer_user(int fd) noexcept
{
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer)
        return std::nullopt;
    return peer.uid;
}

std::optional<uid_t> tcp_peer_user(int fd) noexcept
{
    sockaddr_storage here{};
    sockaddr_storage there{};
    socklen_t here_size = sizeof here;
    socklen_t there_size = sizeof there;
    End ours;
    End client;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&here), &here_size) != 0 ||
        getpeername(fd, reinterpret_cast<sockaddr*>(&there), &there_size) != 0 ||
        here.ss_family != there.ss_family || !to_end(here, ours) || !to_end(there, client))
        return std::nullopt;

    const auto asked = question(here.ss_family, client, ours);
    const auto found = ask(asked);
    // Where no connection matches, the kernel tells a listener; and a socket without an inode
    // is one that its process has closed, which the kernel gives to uid 0.
    if (!found || found->idiag_state > TCP_CLOSING || (bit(found->idiag_state) & states) == 0 ||
        found->idiag_inode == 0 || !same(*found, asked.body) ||
        found->idiag_uid == nobody_in_particular)
        return std::nullopt;
    return found->idiag_uid;
}

} // namespace cps
