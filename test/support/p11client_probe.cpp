// p11client-probe WORKER MODULE DIGESTINFO-HEX [INDEX]: what the agent does with a module, one
// JSON line a step, for tests in other languages. Lists the certificates, then signs once for
// each line of standard input, which is a PIN.

#include "cps/pkcs11_client/module.hpp"

#include "cps/base/encoding.hpp"

#include <boost/json.hpp>

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

namespace json = boost::json;
using namespace cps;
using Clock = std::chrono::steady_clock;

namespace {

long long milliseconds_since(Clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

/// proc(5), VmHWM: the most memory that the process ever had resident; 0 if it has ended.
long peak_kilobytes(pid_t pid)
{
    std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string word; status >> word;)
        if (long peak = 0; word == "VmHWM:" && status >> peak)
            return peak;
    return 0;
}

void print(json::object line, Clock::time_point start)
{
    line["milliseconds"] = milliseconds_since(start);
    std::cout << json::serialize(line) << std::endl;
}

json::object refusal(const Error& error)
{
    return {{"error", stable_code(error.code())}, {"native", error.native()}};
}

json::object listing(pkcs11::Module& module)
{
    const auto certificates = module.certificates({});
    if (!certificates)
        return refusal(certificates.error());
    json::array entries;
    for (const auto& entry : *certificates)
        entries.push_back({{"index", entry.index},
                           {"der", to_hex(entry.der)},
                           {"reader", entry.reader},
                           {"label", entry.token_label},
                           {"serial", entry.serial},
                           {"tries_left", entry.tries_left},
                           {"pin_pad", entry.pin_pad}});
    return {{"certificates", entries}, {"peak_kilobytes", peak_kilobytes(module.worker_pid())}};
}

/// One line of standard input, octet by octet, so that no stream's buffer keeps a PIN.
bool read_pin(Pin& pin)
{
    std::size_t size = 0;
    for (; size != Pin::max_size; ++size) {
        auto& octet = pin.buffer()[size];
        if (::read(STDIN_FILENO, &octet, 1) != 1)
            return false;
        if (octet == '\n')
            break;
    }
    pin.set_size(size);
    return true;
}

json::object signing(pkcs11::Module& module, std::size_t index, const Pin& pin,
                     ByteView digest_info)
{
    auto outcome = module.sign(index, pin, digest_info, {});
    if (!outcome)
        return refusal(outcome.error());
    if (const auto* wrong = std::get_if<pkcs11::WrongPin>(&*outcome))
        return {{"wrong_pin", wrong->tries_left}};
    return {{"signature", to_hex(std::get<Bytes>(*outcome))}};
}

} // namespace

int main(int argc, char** argv)
try {
    forbid_dumps();
    if (argc != 4 && argc != 5)
        return 2;
    const auto digest_info = from_hex(argv[3]);
    if (!digest_info)
        return 2;
    std::size_t index = 0;
    if (argc == 5) {
        const std::string_view text{argv[4]};
        std::from_chars(text.data(), text.data() + text.size(), index);
    }

    const auto start = Clock::now();
    pkcs11::Module module{argv[1], argv[2]};
    print(listing(module), start);
    Pin pin;
    while (read_pin(pin)) {
        const auto asked = Clock::now();
        print(signing(module, index, pin, *digest_info), asked);
        pin.clear();
    }
    return 0;
} catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
