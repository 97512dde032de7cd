// A reader with a keypad of its own, for pcscd: everything passes through to the virtual
// reader's driver, and the two features of PC/SC part 10 that take a PIN are added
// (VERIFY_PIN_DIRECT, MODIFY_PIN_DIRECT).
//
// The driver lies beside this file: libifdpinpad-X.so loads libifdvpcd-X.so. What the person
// types comes from libifdpinpad-X.finger, a Unix socket that the test listens on: for each
// entry we connect, say "verify MIN MAX" or "modify MIN MAX", and read one line: the digits
// (old and new for a change, a blank between them), "cancel", "timeout", "short" or "differ".
// Without a listener, or when the card is pulled meanwhile, nobody types and the entry times
// out.

#include <PCSC/ifdhandler.h>
#include <PCSC/reader.h>

#include <dlfcn.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace {

using Octets = std::vector<std::uint8_t>;

constexpr DWORD feature_request = 0x42000000 + 3400; // CM_IOCTL_GET_FEATURE_REQUEST
constexpr DWORD verify_code = 0x42330006;
constexpr DWORD modify_code = 0x42330007;
constexpr std::size_t verify_fixed = 19; // octets of a PIN_VERIFY_STRUCTURE before the command
constexpr std::size_t modify_fixed = 24; // of a PIN_MODIFY_STRUCTURE
constexpr std::size_t command_head = 5;  // octets: CLA INS P1 P2 Lc
constexpr int glance = 200;              // ms between two looks whether the card is still there

// What a reader says by itself (PC/SC part 10, 2.5.2).
const Octets timed_out{0x64, 0x00};
const Octets cancelled{0x64, 0x01};
const Octets differ{0x64, 0x02};
const Octets wrong_size{0x64, 0x03};

// pcscd is one process with one driver a reader; the protocol is that of the last negotiation.
std::atomic<DWORD> protocol{SCARD_PROTOCOL_T1}; // NOLINT

std::string own_path()
{
    Dl_info here{};
    ::dladdr(reinterpret_cast<const void*>(&own_path), &here);
    return here.dli_fname;
}

void* driver()
{
    static void* const loaded = [] {
        auto path = own_path();
        path.replace(path.rfind("libifdpinpad"), std::strlen("libifdpinpad"), "libifdvpcd");
        return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    }();
    return loaded;
}

template <class Function>
Function* next(const char* name)
{
    return reinterpret_cast<Function*>(::dlsym(driver(), name));
}

#define NEXT(function) next<decltype(function)>(#function)

/// The finger on the keys: one connection an entry.
class Finger {
public:
    Finger()
    {
        auto path = own_path();
        path.replace(path.rfind(".so"), 3, ".finger");
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            ::close(socket_);
            socket_ = -1;
        }
    }
    ~Finger()
    {
        if (socket_ >= 0)
            ::close(socket_);
    }
    Finger(const Finger&) = delete;
    Finger& operator=(const Finger&) = delete;

    /// A line, or "timeout" after that long or once the card has gone.
    std::string ask(const std::string& question, int seconds, DWORD lun)
    {
        if (::send(socket_, question.data(), question.size(), MSG_NOSIGNAL) < 0)
            return "timeout";
        std::string line;
        for (int looks = seconds * 1000 / glance; looks > 0; --looks) {
            pollfd readable{socket_, POLLIN, 0};
            if (::poll(&readable, 1, glance) > 0) {
                char c = 0;
                while (::recv(socket_, &c, 1, MSG_DONTWAIT) == 1) {
                    if (c == '\n')
                        return line;
                    line.push_back(c);
                }
            }
            if (NEXT(IFDHICCPresence)(lun) != IFD_ICC_PRESENT)
                return "timeout";
        }
        return "timeout";
    }

private:
    int socket_ = -1;
};

Octets to_card(DWORD lun, const Octets& command)
{
    std::array<std::uint8_t, 258> answer{};
    auto size = static_cast<DWORD>(answer.size());
    SCARD_IO_HEADER sent{protocol == SCARD_PROTOCOL_T0 ? 0UL : 1UL, sizeof(SCARD_IO_HEADER)};
    SCARD_IO_HEADER received{};
    auto copy = command;
    if (NEXT(IFDHTransmitToICC)(lun, sent, copy.data(), static_cast<DWORD>(copy.size()),
                                answer.data(), &size, &received) != IFD_SUCCESS)
        return {};
    return {answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(size)};
}

/// One entry at the keys, and what came of it. `places`: where each PIN lies in the command.
Octets entry(DWORD lun, std::span<const std::uint8_t> in, std::size_t fixed,
             std::size_t extra_digit, const std::string& name,
             const std::vector<std::size_t>& places)
{
    if (in.size() < fixed + command_head)
        return {};
    const int shortest = in[extra_digit + 1];
    const int longest = in[extra_digit];
    const auto line = Finger{}.ask(name + ' ' + std::to_string(shortest) + ' ' +
                                       std::to_string(longest) + '\n',
                                   in[0], lun);
    if (line == "timeout")
        return timed_out;
    if (line == "cancel")
        return cancelled;
    if (line == "differ")
        return differ;
    Octets command{in.begin() + static_cast<std::ptrdiff_t>(fixed), in.end()};
    auto rest = line;
    for (const auto place : places) {
        const auto digits = rest.substr(0, rest.find(' '));
        rest.erase(0, std::min(rest.size(), digits.size() + 1));
        const auto size = static_cast<int>(digits.size());
        if (size < shortest || size > longest || place + digits.size() > command.size())
            return wrong_size;
        std::copy(digits.begin(), digits.end(),
                  command.begin() + static_cast<std::ptrdiff_t>(place));
    }
    return to_card(lun, command);
}

RESPONSECODE answer(const Octets& octets, PUCHAR out, DWORD room, LPDWORD size)
{
    *size = 0;
    if (octets.empty() || octets.size() > room)
        return IFD_COMMUNICATION_ERROR;
    std::copy(octets.begin(), octets.end(), out);
    *size = static_cast<DWORD>(octets.size());
    return IFD_SUCCESS;
}

} // namespace

extern "C" {

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name)
{
    return driver() != nullptr ? NEXT(IFDHCreateChannelByName)(lun, name) : IFD_NO_SUCH_DEVICE;
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel)
{
    return driver() != nullptr ? NEXT(IFDHCreateChannel)(lun, channel) : IFD_NO_SUCH_DEVICE;
}

RESPONSECODE IFDHCloseChannel(DWORD lun)
{
    return NEXT(IFDHCloseChannel)(lun);
}

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
    return NEXT(IFDHGetCapabilities)(lun, tag, length, value);
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{
    return NEXT(IFDHSetCapabilities)(lun, tag, length, value);
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD wanted, UCHAR flags, UCHAR pts1,
                                       UCHAR pts2, UCHAR pts3)
{
    protocol = wanted;
    return NEXT(IFDHSetProtocolParameters)(lun, wanted, flags, pts1, pts2, pts3);
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD length)
{
    return NEXT(IFDHPowerICC)(lun, action, atr, length);
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER sent, PUCHAR in, DWORD in_size,
                               PUCHAR out, PDWORD out_size, PSCARD_IO_HEADER received)
{
    return NEXT(IFDHTransmitToICC)(lun, sent, in, in_size, out, out_size, received);
}

RESPONSECODE IFDHICCPresence(DWORD lun)
{
    return NEXT(IFDHICCPresence)(lun);
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR in, DWORD in_size, PUCHAR out,
                         DWORD out_size, LPDWORD returned)
{
    const std::span<const std::uint8_t> asked{in, in_size};
    if (code == feature_request)
        return answer({FEATURE_VERIFY_PIN_DIRECT, 4, 0x42, 0x33, 0x00, 0x06,
                       FEATURE_MODIFY_PIN_DIRECT, 4, 0x42, 0x33, 0x00, 0x07},
                      out, out_size, returned);
    if (code == verify_code)
        return answer(entry(lun, asked, verify_fixed, 5, "verify", {command_head}), out,
                      out_size, returned);
    if (code == modify_code && in_size > modify_fixed)
        return answer(entry(lun, asked, modify_fixed, 7, "modify",
                            {command_head + in[5], command_head + in[6]}),
                      out, out_size, returned);
    return NEXT(IFDHControl)(lun, code, in, in_size, out, out_size, returned);
}

} // extern "C"
