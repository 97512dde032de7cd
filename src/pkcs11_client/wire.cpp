#include "wire.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

namespace cps::pkcs11 {
namespace {

constexpr std::size_t head_size = 5; // octets: kind, length

/// For poll(2): what is left, at least 0 and never "for ever".
int milliseconds_left(const Patience& patience)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        patience.deadline - std::chrono::steady_clock::now());
    constexpr long long most = std::numeric_limits<int>::max();
    return static_cast<int>(std::clamp<long long>(left.count(), 0, most));
}

/// Nothing to send or to read yet, or interrupted: worth another wait.
bool passing(int reason) noexcept
{
    return reason == EAGAIN || reason == EWOULDBLOCK || reason == EINTR;
}

} // namespace

std::optional<Kind> kind_of(std::uint8_t octet) noexcept
{
    const auto kind = static_cast<Kind>(octet);
    switch (kind) {
    case Kind::list:
    case Kind::find:
    case Kind::sign:
    case Kind::pin:
    case Kind::puk_tries:
    case Kind::change_pin:
    case Kind::unblock_pin:
    case Kind::listed:
    case Kind::signature:
    case Kind::wrong_pin:
    case Kind::refused:
    case Kind::tries:
    case Kind::pin_set: return kind;
    }
    return std::nullopt;
}

std::size_t max_body(Kind kind) noexcept
{
    // Beside the certificate, an entry of the list has three texts and some numbers.
    constexpr std::size_t entry = max_certificate + max_id + 256;
    switch (kind) {
    case Kind::list: return 0;
    case Kind::find: return entry;
    case Kind::sign: return max_certificate + max_digest_info + 8;
    case Kind::pin: return Pin::max_size;
    case Kind::puk_tries:
    case Kind::change_pin:
    case Kind::unblock_pin: return max_certificate;
    case Kind::listed: return max_certificates * entry;
    case Kind::signature: return 1 + max_signature;
    case Kind::wrong_pin:
    case Kind::tries: return 1;
    case Kind::pin_set: return 0;
    case Kind::refused: return 9;
    }
    return 0;
}

Result<void> Wire::wait(short events, const Patience& patience) const
{
    // Bounded by the deadline: poll ends at the latest then.
    for (;;) {
        std::array<pollfd, 2> waiting{pollfd{socket_, events, 0},
                                      pollfd{patience.cancel_fd, POLLIN, 0}};
        const auto ready = ::poll(waiting.data(), waiting.size(), milliseconds_left(patience));
        if (ready < 0 && errno != EINTR)
            return Error{Errc::module_failed, "waiting for the module's process failed", errno};
        if (ready > 0 && waiting[1].revents != 0)
            return Error{Errc::cancelled, "no longer wanted"};
        if (ready > 0)
            return {};
        if (std::chrono::steady_clock::now() >= patience.deadline)
            return Error{Errc::module_failed, "the module missed its deadline", ETIMEDOUT};
    }
}

Result<void> Wire::send(Kind kind, ByteView body, const Patience& patience) const
{
    if (body.size() > max_body(kind))
        return Error{Errc::module_failed, "a message for the module is too long", EMSGSIZE};

    const auto size = static_cast<std::uint32_t>(body.size());
    const auto octet = [size](unsigned shift) {
        return static_cast<std::uint8_t>(size >> shift & 0xFF);
    };
    const std::array<std::uint8_t, head_size> head{static_cast<std::uint8_t>(kind), octet(24),
                                                   octet(16), octet(8), octet(0)};

    // Each turn sends an octet at least, or waits within the deadline.
    for (std::size_t sent = 0; sent != head_size + body.size();) {
        if (auto ready = wait(POLLOUT, patience); !ready)
            return ready;
        const auto from_head = std::min(sent, head_size);
        const auto from_body = sent - from_head;
        // sendmsg(2) only reads from what iovec, for want of const, calls writable.
        std::array<iovec, 2> parts{
            iovec{const_cast<std::uint8_t*>(head.data()) + from_head, head_size - from_head},
            iovec{const_cast<std::uint8_t*>(body.data()) + from_body, body.size() - from_body}};
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        const auto count = ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0)
            sent += static_cast<std::size_t>(count);
        else if (!passing(errno))
            return Error{Errc::module_failed, "the module's process has ended", errno};
    }
    return {};
}

Result<void> Wire::fill(std::span<std::uint8_t> target, const Patience& patience) const
{
    while (!target.empty()) {
        if (auto ready = wait(POLLIN, patience); !ready)
            return ready;
        const auto count = ::recv(socket_, target.data(), target.size(), MSG_DONTWAIT);
        if (count > 0)
            target = target.subspan(static_cast<std::size_t>(count));
        else if (count == 0 || !passing(errno))
            return Error{Errc::module_failed, "the module's process has ended",
                         count == 0 ? EPIPE : errno};
    }
    return {};
}

Result<Wire::Head> Wire::receive_head(const Patience& patience) const
{
    std::array<std::uint8_t, head_size> head{};
    if (const auto filled = fill(head, patience); !filled)
        return filled.error();
    const auto kind = kind_of(head[0]);
    const auto length = std::size_t{head[1]} << 24 | std::size_t{head[2]} << 16 |
                        std::size_t{head[3]} << 8 | std::size_t{head[4]};
    if (!kind || length > max_body(*kind))
        return Error{Errc::module_failed, "the module's process sent a malformed message",
                     EBADMSG};
    return Head{*kind, length};
}

Result<Frame> Wire::receive(const Patience& patience) const
{
    const auto head = receive_head(patience);
    if (!head)
        return head.error();
    if (head->kind == Kind::pin)
        return Error{Errc::module_failed, "a PIN came where none was wanted", EBADMSG};
    Frame frame{head->kind, Bytes(head->length)};
    if (const auto filled = fill(frame.body, patience); !filled)
        return filled.error();
    return frame;
}

Result<void> Wire::receive_pin(Pin& pin, const Patience& patience) const
{
    const auto head = receive_head(patience);
    if (!head)
        return head.error();
    if (head->kind != Kind::pin)
        return Error{Errc::module_failed, "a PIN was wanted", EBADMSG};
    if (auto filled = fill(pin.buffer().first(head->length), patience); !filled)
        return filled;
    pin.set_size(head->length);
    return {};
}

Result<void> Wire::wait_for_end(const Patience& patience) const
{
    std::array<std::uint8_t, 256> dropped;
    for (;;) {
        if (auto ready = wait(POLLIN, patience); !ready)
            return ready;
        if (std::chrono::steady_clock::now() >= patience.deadline)
            return Error{Errc::module_failed, "the module missed its deadline", ETIMEDOUT};
        const auto count = ::recv(socket_, dropped.data(), dropped.size(), MSG_DONTWAIT);
        if (count == 0 || (count < 0 && !passing(errno)))
            return {};
    }
}

} // namespace cps::pkcs11
