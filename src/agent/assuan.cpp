#include "assuan.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace cps::agent {
namespace {

// libgpg-error's codes; the low 16 bits of what follows ERR.
constexpr unsigned gpg_timeout = 62;
constexpr unsigned gpg_canceled = 99;
constexpr unsigned gpg_not_confirmed = 114;
constexpr unsigned gpg_fully_canceled = 278;

Error error_of(std::string_view line)
{
    unsigned number = 0;
    const auto digits = line.substr(std::min<std::size_t>(4, line.size())); // after "ERR "
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    switch (number & 0xFFFF) {
    case gpg_timeout: return {Errc::pin_timeout, "the dialog was not answered in time"};
    case gpg_canceled:
    case gpg_fully_canceled: return {Errc::pin_cancelled, "the dialog was cancelled"};
    case gpg_not_confirmed: return {Errc::consent_refused, "the person said no"};
    default:
        return {Errc::not_supported, "pinentry refused a command", static_cast<long>(number)};
    }
}

int hex_digit(std::uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Decodes `%XX` from `encoded` into `data`. False when it does not fit or is malformed.
bool append_decoded(ByteView encoded, Pin& data)
{
    auto size = data.bytes().size();
    const auto room = data.buffer();
    for (std::size_t i = 0; i != encoded.size(); ++i) {
        auto octet = encoded[i];
        if (octet == '%') {
            if (encoded.size() - i < 3)
                return false;
            const auto high = hex_digit(encoded[i + 1]);
            const auto low = hex_digit(encoded[i + 2]);
            if (high < 0 || low < 0)
                return false;
            octet = static_cast<std::uint8_t>(high << 4 | low);
            i += 2;
        }
        if (size == room.size())
            return false;
        room[size++] = octet;
    }
    data.set_size(size);
    return true;
}

bool is_encoded(unsigned char octet)
{
    return octet < 0x20 || octet == '%' || octet == 0x7F;
}

/// Of the character that starts at `at`.
std::size_t encoded_size(std::string_view value, std::size_t at)
{
    auto end = at + 1;
    while (end < value.size() && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80)
        ++end;
    return is_encoded(static_cast<unsigned char>(value[at])) ? 3 : end - at;
}

std::string percent_encoded(std::string_view value, std::size_t room)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (std::size_t i = 0; i != value.size(); ++i) {
        const auto octet = static_cast<unsigned char>(value[i]);
        // Never end inside a UTF-8 sequence.
        const bool starts_character = (octet & 0xC0) != 0x80;
        if (starts_character && out.size() + encoded_size(value, i) > room)
            break;
        if (is_encoded(octet)) {
            out += '%';
            out += digits[octet >> 4];
            out += digits[octet & 0xF];
        } else {
            out += static_cast<char>(octet);
        }
    }
    return out;
}

} // namespace

Assuan::Assuan(const std::string& program, const Cancel& cancel, PinPrompt::Deadline until)
    : cancel_{cancel}, until_{until}, child_{program, {}}
{
    const auto greeting = read_line();
    if (!greeting)
        throw greeting.error();
    if (!greeting->starts_with("OK"))
        throw Error{Errc::internal, "pinentry did not greet"};
}

Result<void> Assuan::command(std::string_view command)
{
    return converse(command, nullptr);
}

Result<void> Assuan::command(std::string_view command, Pin& data)
{
    return converse(command, &data);
}

Result<void> Assuan::set(std::string_view name, std::string_view value)
{
    const auto room = max_line - name.size() - 2; // a space and the line feed
    return converse(std::string{name} + ' ' + percent_encoded(value, room), nullptr);
}

void Assuan::hang_up() noexcept
{
    ::shutdown(child_.fd(), SHUT_RDWR);
}

Result<void> Assuan::converse(std::string_view line, Pin* data)
{
    auto out = std::string{line} + '\n';
    for (std::string_view rest = out; !rest.empty();) {
        const auto sent = ::send(child_.fd(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return Error{Errc::internal, "pinentry ended", errno};
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    for (unsigned answers = 0; answers != max_answers; ++answers) {
        const auto got = read_line();
        if (!got)
            return got.error();
        if (*got == "OK" || got->starts_with("OK "))
            return {};
        if (got->starts_with("ERR "))
            return error_of(*got);
        if (got->starts_with("D ") && data != nullptr) {
            if (!append_decoded(octets(got->substr(2)), *data))
                return Error{Errc::internal, "pinentry's answer does not fit"};
        } else if (got->starts_with("INQUIRE")) {
            return Error{Errc::internal, "pinentry asks what we do not answer"};
        } // S status and # comment lines say nothing that we need
    }
    return Error{Errc::internal, "pinentry never comes to an end"};
}

/// The next line without its end, in the locked page; valid until the next read.
Result<std::string_view> Assuan::read_line()
{
    // Nothing of an earlier line, which may have been a PIN, is kept.
    const auto all = buffer_.bytes();
    std::memmove(all.data(), all.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    wipe(all.subspan(end_));
    for (;;) {
        const auto read = text_of(all.first(end_));
        if (const auto stop = read.find('\n'); stop != std::string_view::npos) {
            begin_ = stop + 1;
            return read.substr(0, stop);
        }
        if (end_ > max_line)
            return Error{Errc::internal, "pinentry sent a line without end"};
        if (const auto filled = fill(); !filled)
            return filled.error();
    }
}

Result<void> Assuan::fill()
{
    using namespace std::chrono;
    for (;;) {
        const auto left = ceil<milliseconds>(until_ - steady_clock::now());
        if (left <= 0ms)
            return Error{Errc::pin_timeout, "the dialog was not answered in time"};
        pollfd watched[] = {{child_.fd(), POLLIN, 0}, {cancel_.fd(), POLLIN, 0}};
        const auto ready = ::poll(watched, 2, static_cast<int>(left.count()));
        if (ready < 0 && errno != EINTR)
            return Error{Errc::internal, "waiting for pinentry failed", errno};
        if (ready <= 0)
            continue;
        if (watched[1].revents != 0)
            return Error{Errc::cancelled, "the request was given up"};
        const auto room = buffer_.bytes().subspan(end_);
        const auto got = ::recv(child_.fd(), room.data(), room.size(), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return Error{Errc::internal, "pinentry ended", got < 0 ? errno : 0};
        end_ += static_cast<std::size_t>(got);
        return {};
    }
}

} // namespace cps::agent
