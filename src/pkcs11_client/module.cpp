#include "cps/pkcs11_client/module.hpp"

#include "file_mark.hpp"
#include "messages.hpp"
#include "wire.hpp"

#include "cps/base/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace cps::pkcs11 {
namespace {

Patience patience(std::chrono::milliseconds time, CancelSignal cancel)
{
    return {std::chrono::steady_clock::now() + time, cancel.fd};
}

Error unexpected_answer() noexcept
{
    return {Errc::module_failed, "the module's process answered something else"};
}

/// The process at the other end is no more.
bool has_ended(const Error& error) noexcept
{
    return error.native() == EPIPE || error.native() == ECONNRESET;
}

/// The files that a worker was made of.
struct Marks {
    FileMark program;
    FileMark module;
    friend bool operator==(const Marks&, const Marks&) = default;
};

bool usable(const Pin& pin)
{
    // Cryptoki takes any octets, but pkcs11-helper a C string: a shorter PIN would be tried.
    return !pin.empty() && std::ranges::count(pin.bytes(), 0) == 0;
}

} // namespace

struct Module::Worker {
    std::string program;
    std::string module;
    Deadlines deadlines;
    std::optional<ChildProcess> child{};
    bool waiting = false;      ///< started ahead, and nothing was asked of it yet
    bool died_waiting = false; ///< so it might again: none ahead until one has signed
    bool card_was_reset = false;
    bool may_wait = false;
    Marks marks{};
    std::vector<Bytes> listed{}; ///< the certificates that indexes mean

    void start()
    {
        marks = {FileMark::of(program), FileMark::of(module)};
        child.emplace(program, std::vector<std::string>{module});
    }
    void end() noexcept
    {
        child.reset();
        waiting = false;
    }

    /// One question, one answer.
    Result<Frame> ask(Kind kind, ByteView body, const Pin* pin, const Patience& until) const
    {
        const Wire wire{child->fd()};
        if (const auto sent = wire.send(kind, body, until); !sent)
            return sent.error();
        if (pin != nullptr)
            if (const auto sent = wire.send(Kind::pin, pin->bytes(), until); !sent)
                return sent.error();
        return wire.receive(until);
    }

    /// Asks a worker, started if there is none, for the certificates. One that fails is killed:
    /// its state is unknown.
    Result<std::vector<TokenCertificate>> list(CancelSignal cancel)
    {
        if (waiting && marks != Marks{FileMark::of(program), FileMark::of(module)})
            end();
        const bool waited = std::exchange(waiting, false) && child;
        auto listing = list_with_this(cancel);
        // A worker that died while it waited costs the caller nothing: listing offers no PIN.
        if (!listing && waited && has_ended(listing.error()))
            listing = list_with_this(cancel);
        return listing;
    }

    Result<std::vector<TokenCertificate>> list_with_this(CancelSignal cancel)
    {
        try {
            if (!child)
                start();
        } catch (const Error& error) {
            return Error{Errc::module_failed, "the module's process did not start",
                         error.native()};
        }
        auto listing =
            read_listing(ask(Kind::list, {}, nullptr, patience(deadlines.list, cancel)));
        if (!listing)
            end();
        return listing;
    }

    static Result<std::vector<TokenCertificate>> read_listing(const Result<Frame>& answer)
    {
        if (!answer)
            return answer.error();
        if (answer->kind == Kind::refused)
            return decode_refusal(answer->body);
        if (answer->kind != Kind::listed)
            return unexpected_answer();
        return decode_listing(answer->body);
    }

    Result<SignOutcome> read_outcome(const Result<Frame>& answer)
    {
        if (!answer)
            return answer.error();
        if (answer->kind == Kind::refused)
            return decode_refusal(answer->body);
        if (answer->kind == Kind::wrong_pin) {
            const auto wrong = decode_wrong_pin(answer->body);
            return wrong ? Result<SignOutcome>{*wrong} : wrong.error();
        }
        if (answer->kind != Kind::signature)
            return unexpected_answer();
        auto signature = decode_signed(answer->body);
        if (!signature)
            return signature.error();
        card_was_reset = may_wait = signature->card_reset;
        died_waiting = false;
        return SignOutcome{std::move(signature->signature)};
    }
};

Module::Module(const std::string& worker_path, const std::string& module_path,
               Deadlines deadlines)
    : worker_{std::make_unique<Worker>(Worker{worker_path, module_path, deadlines})}
{
    if (!worker_path.starts_with('/') || !module_path.starts_with('/'))
        throw Error{Errc::module_failed, "a module's path is not absolute"};
}

void Module::make_ready() noexcept
{
    if (worker_->child || worker_->died_waiting)
        return;
    try {
        worker_->start();
        worker_->waiting = true;
    } catch (const std::exception&) { // NOLINT: whoever needs it tries again, and is told
        worker_->end();
    }
}

void Module::end() noexcept
{
    worker_->end();
}

void Module::tidy() noexcept
{
    if (!worker_->waiting || !worker_->child->has_ended())
        return;
    worker_->end();
    worker_->died_waiting = true;
}

Module::~Module() = default;

Result<std::vector<TokenCertificate>> Module::certificates(CancelSignal cancel)
{
    auto listing = worker_->list(cancel);
    worker_->listed.clear();
    if (listing)
        for (const auto& entry : *listing)
            worker_->listed.push_back(entry.der);
    return listing;
}

Result<SignOutcome> Module::sign(std::size_t index, const Pin& pin, ByteView digest_info,
                                 CancelSignal cancel)
{
    auto& worker = *worker_;
    worker.card_was_reset = false;
    if (index >= worker.listed.size())
        return Error{Errc::bad_argument, "no certificate with that index was listed"};
    if (!usable(pin))
        return Error{Errc::bad_argument, "a PIN is empty or holds an octet 0"};
    if (digest_info.empty() || digest_info.size() > max_digest_info)
        return Error{Errc::bad_argument, "a DigestInfo has no such length"};

    // A new worker proves that it can load and read before it is trusted with the PIN.
    if (!worker.child || worker.waiting)
        if (const auto listing = worker.list(cancel); !listing)
            return listing.error();

    const auto request = encode_sign_request(worker.listed[index], digest_info);
    auto outcome = worker.read_outcome(
        worker.ask(Kind::sign, request, &pin, patience(worker.deadlines.sign, cancel)));
    // It ends by itself after its answer, once it has let go of the card; the kill is for one
    // that does not, or that gave no answer. Ours let go before it answered.
    if (outcome && !worker.card_was_reset)
        (void)Wire{worker.child->fd()}.wait_for_end(patience(worker.deadlines.farewell, {}));
    worker.end();
    return outcome;
}

bool Module::card_was_reset() const noexcept
{
    return worker_->card_was_reset;
}

bool Module::may_wait() const noexcept
{
    return worker_->may_wait;
}

pid_t Module::worker_pid() const noexcept
{
    return worker_->child ? worker_->child->pid() : -1;
}

} // namespace cps::pkcs11
