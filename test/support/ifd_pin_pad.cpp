// A reader with a keypad of its own, as a driver for pcscd: everything passes through to the
// virtual reader's driver, and the two features of PC/SC part 10 (2.02.09) that take a PIN are
// added: VERIFY_PIN_DIRECT and MODIFY_PIN_DIRECT.
//
// libifdpinpad-X.so loads libifdvpcd-X.so beside it. The keys are the Unix socket
// libifdpinpad-X.keys, which the test listens on: for each entry the reader connects, writes
// "verify MIN MAX" or "modify MIN MAX", and reads one line: the digits (for a change: the old
// PIN, the new one, the new one again, with blanks between them), "cancel" or "timeout".
// Where nobody listens or types, the entry times out; where the card goes, it fails.

extern "C" {
#include <ifdhandler.h> // says nothing of C++ itself
}

#include <dlfcn.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Octets = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

constexpr DWORD feature_request = 0x42000000 + 3400; // CM_IOCTL_GET_FEATURE_REQUEST
constexpr DWORD verify_code = 0x42330006;
constexpr DWORD modify_code = 0x42330007;
constexpr std::uint8_t verify_pin_direct = 0x06; // features
constexpr std::uint8_t modify_pin_direct = 0x07;
constexpr std::size_t command_head = 5;          // octets: CLA INS P1 P2 Lc
constexpr std::uint8_t ascii_in_octets = 0x82;   // bmFormatString
constexpr std::uint8_t on_validation_key = 0x02; // bEntryValidationCondition
constexpr int glance = 200;                      // ms between two looks at the card

// What a reader says by itself (part 10, 2.5.2).
const Octets timed_out{0x64, 0x00};
const Octets cancelled{0x64, 0x01};
const Octets they_differ{0x64, 0x02};
const Octets wrong_size{0x64, 0x03};

// One reader a copy of this file; the protocol is that of the last negotiation.
std::atomic<DWORD> protocol{SCARD_PROTOCOL_T1}; // NOLINT

/// Where this file lies, with `from` in its name replaced.
std::string beside(const std::string& from, const std::string& to)
{
    Dl_info here{};
    ::dladdr(reinterpret_cast<const void*>(&beside), &here);
    std::string path{here.dli_fname};
    return path.replace(path.rfind(from), from.size(), to);
}

template <class Function>
Function* next(const char* name)
{
    static void* const driver =
        ::dlopen(beside("libifdpinpad", "libifdvpcd").c_str(), RTLD_NOW | RTLD_LOCAL);
    return reinterpret_cast<Function*>(::dlsym(driver, name));
}

#define NEXT(function) next<decltype(function)>(#function)

/// The keys, for one entry.
class Keys {
public:
    Keys() : socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        beside(".so", ".keys").copy(address.sun_path, sizeof address.sun_path - 1);
        (void)::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ~Keys() { ::close(socket_); }
    Keys(const Keys&) = delete;
    Keys& operator=(const Keys&) = delete;

    /// What was typed, or "timeout". Nothing when the card has gone.
    std::optional<std::string> ask(const std::string& question, int seconds, DWORD lun) const
    {
        (void)::send(socket_, question.data(), question.size(), MSG_NOSIGNAL);
        std::string line;
        for (int looks = seconds * 1000 / glance; looks > 0; --looks) {
            if (NEXT(IFDHICCPresence)(lun) != IFD_ICC_PRESENT)
                return std::nullopt;
            pollfd readable{socket_, POLLIN, 0};
            if (::poll(&readable, 1, glance) <= 0)
                continue;
            char c = 0;
            while (::recv(socket_, &c, 1, MSG_DONTWAIT) == 1) {
                if (c == '\n')
                    return line;
                line.push_back(c);
            }
            if ((readable.revents & (POLLHUP | POLLERR)) != 0)
                ::poll(nullptr, 0, glance); // nobody is there
        }
        return "timeout";
    }

private:
    int socket_;
};

Octets to_card(DWORD lun, Octets command)
{
    std::array<std::uint8_t, 258> answer{};
    auto size = static_cast<DWORD>(answer.size());
    const SCARD_IO_HEADER sent{protocol == SCARD_PROTOCOL_T0 ? 0UL : 1UL,
                               sizeof(SCARD_IO_HEADER)};
    SCARD_IO_HEADER received{};
    const auto done =
        NEXT(IFDHTransmitToICC)(lun, sent, command.data(), static_cast<DWORD>(command.size()),
                                answer.data(), &size, &received);
    if (done != IFD_SUCCESS)
        return {};
    return {answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(size)};
}

/// PIN_VERIFY_STRUCTURE or PIN_MODIFY_STRUCTURE, whose fields lie in different places.
struct Order {
    View in;
    bool modify;

    std::size_t fixed() const { return modify ? 24 : 19; } // octets before the command
    std::uint8_t longest() const { return in[modify ? 7 : 5]; }
    std::uint8_t shortest() const { return in[modify ? 8 : 6]; }
    std::uint8_t ends() const { return in[modify ? 10 : 7]; }
    std::size_t old_at() const { return command_head + (modify ? in[5] : 0U); }
    std::size_t new_at() const { return command_head + in[6]; }
    Octets command() const
    {
        return {in.begin() + static_cast<std::ptrdiff_t>(fixed()), in.end()};
    }
    /// As strict as the CCID driver: ulDataLength must be right; and what we can do.
    bool well_formed() const
    {
        if (in.size() < fixed() + command_head)
            return false;
        const std::size_t told = in[fixed() - 4] | in[fixed() - 3] << 8U;
        return told == in.size() - fixed() && in[2] == ascii_in_octets &&
               ends() == on_validation_key;
    }
};

bool fits(const Order& order, const std::string& pin)
{
    return pin.size() >= order.shortest() && pin.size() <= order.longest();
}

/// One entry at the keys, and what came of it: two octets or the card's answer. Empty when
/// the card went.
Octets entry(DWORD lun, const Order& order)
{
    const auto typed = Keys{}.ask(std::string{order.modify ? "modify " : "verify "} +
                                      std::to_string(order.shortest()) + ' ' +
                                      std::to_string(order.longest()) + '\n',
                                  order.in[0], lun);
    if (!typed)
        return {};
    if (*typed == "timeout")
        return timed_out;
    if (*typed == "cancel")
        return cancelled;
    std::istringstream words{*typed};
    std::string pin;
    std::string changed;
    std::string again;
    words >> pin >> changed >> again;
    if (!fits(order, pin) || (order.modify && !fits(order, changed)))
        return wrong_size;
    if (changed != again)
        return they_differ;
    auto command = order.command();
    if (command.size() < order.old_at() + pin.size() ||
        (order.modify && command.size() < order.new_at() + changed.size()))
        return wrong_size;
    std::ranges::copy(pin, command.begin() + static_cast<std::ptrdiff_t>(order.old_at()));
    if (order.modify)
        std::ranges::copy(changed,
                          command.begin() + static_cast<std::ptrdiff_t>(order.new_at()));
    return to_card(lun, command);
}

RESPONSECODE answer(const Octets& octets, PUCHAR out, DWORD room, LPDWORD size)
{
    *size = 0;
    if (octets.empty() || octets.size() > room)
        return IFD_COMMUNICATION_ERROR;
    std::ranges::copy(octets, out);
    *size = static_cast<DWORD>(octets.size());
    return IFD_SUCCESS;
}

} // namespace

extern "C" {

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name)
{
    return NEXT(IFDHCreateChannelByName)(lun, name);
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel)
{
    return NEXT(IFDHCreateChannel)(lun, channel);
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
    *returned = 0;
    if (code == feature_request)
        return answer({verify_pin_direct, 4, 0x42, 0x33, 0x00, 0x06, modify_pin_direct, 4, 0x42,
                       0x33, 0x00, 0x07},
                      out, out_size, returned);
    if (code != verify_code && code != modify_code)
        return NEXT(IFDHControl)(lun, code, in, in_size, out, out_size, returned);
    const Order order{View{in, in_size}, code == modify_code};
    if (!order.well_formed())
        return IFD_NOT_SUPPORTED;
    return answer(entry(lun, order), out, out_size, returned);
}

} // extern "C"
