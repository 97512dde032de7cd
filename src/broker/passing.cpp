#include "passing.hpp"

#include "cps/broker/protocol.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace cps::broker {

Passed pass(int agent, int connection) noexcept
{
    char octet = passed;
    iovec body{&octet, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof connection)] = {};
    msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof connection);
    std::memcpy(CMSG_DATA(rights), &connection, sizeof connection);

    if (sendmsg(agent, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
        return Passed::done;
    switch (errno) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case EINTR:
    case ETOOMANYREFS: return Passed::full; // too many on their way (unix(7))
    default: return Passed::ended;
    }
}

} // namespace cps::broker
