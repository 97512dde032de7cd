// cps-agent-worker MODULE: runs one PKCS #11 module on behalf of the agent, which starts it
// with one end of a socket pair as standard input and output. Loads and initialises the module
// at once, so that a worker may be started ahead of its use. Ends when the socket closes, and
// after one signature or one change of PIN, whatever came of it. Not for people.

#include "messages.hpp"
#include "provider.hpp"
#include "wire.hpp"

#include "cps/base/log.hpp"
#include "cps/crypto/warm_up.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

using namespace cps;
using namespace cps::pkcs11;

namespace {

/// Memory that a module may fill before its process fails: it must not starve the machine.
constexpr rlim_t max_memory = 256UL * 1024 * 1024; // octets

/// Above the agent's own deadlines: a worker whose agent died in the middle of a request does
/// not hang for ever.
constexpr unsigned max_request_time = 90; // seconds

/// Takes the socket away from descriptors 0 and 1, where a module may read and print.
UniqueFd take_socket()
{
    UniqueFd socket{::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
    const UniqueFd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    if (!socket || !nothing || ::dup2(nothing.get(), STDIN_FILENO) < 0 ||
        ::dup2(nothing.get(), STDOUT_FILENO) < 0)
        throw Error{Errc::internal, "no socket to the agent", errno};
    return socket;
}

void confine()
{
    forbid_dumps();
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef __SANITIZE_ADDRESS__ // whose shadow memory counts
    const rlimit memory{max_memory, max_memory};
    ::setrlimit(RLIMIT_DATA, &memory);
#endif
}

class Service {
public:
    Service(Wire wire, const char* module_path) : wire_{wire}, module_path_{module_path} {}

    /// Answers until the agent hangs up or a signature was asked for.
    void run()
    {
        load();
        for (;;) {
            const auto request = wire_.receive(forever);
            ::alarm(max_request_time); // C_Finalize included
            if (!request)
                return;
            if (request->kind == Kind::sign)
                return answer([&] { sign(request->body); });
            if (request->kind == Kind::change_pin || request->kind == Kind::unblock_pin)
                return answer([&] { set_pin(request->kind, request->body); });
            if (request->kind == Kind::puk_tries)
                answer([&] { tell_puk_tries(request->body); });
            else if (request->kind == Kind::list)
                answer([&] { list(); });
            else if (request->kind == Kind::find)
                answer([&] { find(request->body); });
            else
                return;
            ::alarm(0);
        }
    }

private:
    template <class Work>
    void answer(Work&& work)
    {
        try {
            work();
        } catch (const Error& error) {
            log::error(error);
            (void)wire_.send(Kind::refused, encode_refusal(error), forever);
        } catch (const std::exception&) {
            const Error error{Errc::module_failed, "the PKCS #11 module failed"};
            (void)wire_.send(Kind::refused, encode_refusal(error), forever);
        }
    }

    /// A failure is told when somebody asks: then it is tried again, for its reason.
    void load()
    {
        ::alarm(max_request_time);
        try {
            provider_.emplace(module_path_);
        } catch (const std::exception&) { // NOLINT
            provider_.reset();
        }
        crypto::warm_up(); // the module's and pkcs11-helper's OpenSSL is this one
        ::alarm(0);
    }

    Provider& provider()
    {
        if (!provider_)
            provider_.emplace(module_path_);
        return *provider_;
    }

    void list()
    {
        (void)wire_.send(Kind::listed, encode_listing(provider().certificates()), forever);
    }

    void find(ByteView body)
    {
        const auto wanted = decode_wanted(body);
        if (!wanted)
            throw out_of_turn();
        const auto found = provider().find(*wanted);
        (void)wire_.send(Kind::listed, encode_listing(found), forever);
        provider().prepare();
    }

    void sign(ByteView body)
    {
        Pin pin;
        const auto request = decode_sign_request(body);
        if (!request || !wire_.receive_pin(pin, forever) || !provider_)
            throw out_of_turn();
        auto outcome =
            provider_->sign(request->certificate, std::move(pin), request->digest_info);
        if (const auto* wrong = std::get_if<WrongPin>(&outcome))
            send_tries(Kind::wrong_pin, wrong->tries_left);
        else
            (void)wire_.send(Kind::signature,
                             encode_signed({std::get<Bytes>(std::move(outcome)),
                                            provider_->card_was_reset()}),
                             forever);
    }

    void tell_puk_tries(ByteView certificate)
    {
        if (!provider_)
            throw out_of_turn();
        send_tries(Kind::tries, provider_->puk_tries_left(certificate));
    }

    void set_pin(Kind kind, ByteView certificate)
    {
        Pin offered;
        Pin new_pin;
        if (!wire_.receive_pin(offered, forever) || !wire_.receive_pin(new_pin, forever) ||
            !provider_)
            throw out_of_turn();
        const auto wrong = kind == Kind::change_pin
                               ? provider_->change_pin(certificate, offered, new_pin)
                               : provider_->unblock_pin(certificate, offered, new_pin);
        if (wrong)
            send_tries(Kind::wrong_pin, wrong->tries_left);
        else
            (void)wire_.send(Kind::pin_set, {}, forever);
    }

    void send_tries(Kind kind, int tries)
    {
        const auto octet = static_cast<std::uint8_t>(tries);
        (void)wire_.send(kind, {&octet, 1}, forever);
    }

    static Error out_of_turn() noexcept
    {
        return {Errc::bad_argument, "a request out of turn"};
    }

    Wire wire_;
    const char* module_path_;
    std::optional<Provider> provider_;
};

} // namespace

int main(int argc, char** argv)
try {
    confine();
    if (argc != 2)
        return 2;
    const auto socket = take_socket();
    Service{Wire{socket.get()}, argv[1]}.run();
    // Not exit: destructors in the module's libraries have crashed there (SoftHSM 2.6.1).
    ::_exit(0);
} catch (const std::exception&) {
    return 1;
}
