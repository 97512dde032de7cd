#include "cps/pkcs11_client/module.hpp"

#include "file_mark.hpp"
#include "messages.hpp"
#include "wire.hpp"

#include "cps/base/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <initializer_list>
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
    return std::ranges::count(pin.bytes(), 0) == 0;
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

    /// One question with the PINs that it wants, one answer.
    Result<Frame> ask(Kind kind, ByteView body, std::initializer_list<const Pin*> pins,
                      const Patience& until) const
    {
        const Wire wire{child->fd()};
        if (const auto sent = wire.send(kind, body, until); !sent)
            return sent.error();
        for (const auto* const pin : pins)
            if (const auto sent = wire.send(Kind::pin, pin->bytes(), until); !sent)
                return sent.error();
        return wire.receive(until);
    }

    /// Asks a worker, started if there is none, for certificates. One that fails is killed: its
    /// state is unknown.
    Result<std::vector<TokenCertificate>> list(Kind kind, ByteView wanted, CancelSignal cancel)
    {
        if (waiting && marks != Marks{FileMark::of(program), FileMark::of(module)})
            end();
        const bool waited = std::exchange(waiting, false) && child;
        auto listing = list_with_this(kind, wanted, cancel);
        // A worker that died while it waited costs the caller nothing: listing offers no PIN.
        if (!listing && waited && has_ended(listing.error()))
            listing = list_with_this(kind, wanted, cancel);
        return listing;
    }

    Result<std::vector<TokenCertificate>> list_with_this(Kind kind, ByteView wanted,
                                                         CancelSignal cancel)
    {
        try {
            if (!child)
                start();
        } catch (const Error& error) {
            return Error{Errc::module_failed, "the module's process did not start",
                         error.native()};
        }
        auto listing = read_listing(ask(kind, wanted, {}, patience(deadlines.list, cancel)));
        if (!listing)
            end();
        return listing;
    }

    /// What indexes mean from now on.
    Result<std::vector<TokenCertificate>> take(Result<std::vector<TokenCertificate>> listing)
    {
        listed.clear();
        if (listing)
            for (const auto& entry : *listing)
                listed.push_back(entry.der);
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

    static Result<PinChangeOutcome> read_pin_change(const Result<Frame>& answer)
    {
        if (!answer)
            return answer.error();
        if (answer->kind == Kind::refused)
            return decode_refusal(answer->body);
        if (answer->kind == Kind::pin_set)
            return PinChangeOutcome{};
        if (answer->kind != Kind::wrong_pin)
            return unexpected_answer();
        const auto wrong = decode_wrong_pin(answer->body);
        return wrong ? Result<PinChangeOutcome>{*wrong} : wrong.error();
    }

    /// It ends by itself after its answer, once it has let go of the card; the kill is for one
    /// that does not, or that gave no answer.
    void end_after(bool answer_to_wait_for)
    {
        if (answer_to_wait_for)
            (void)Wire{child->fd()}.wait_for_end(patience(deadlines.farewell, {}));
        end();
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
    return worker_->take(worker_->list(Kind::list, {}, cancel));
}

Result<std::vector<TokenCertificate>> Module::find(const Wanted& wanted, CancelSignal cancel)
{
    return worker_->take(worker_->list(Kind::find, encode_wanted(wanted), cancel));
}

Result<SignOutcome> Module::sign(std::size_t index, const Pin& pin, ByteView digest_info,
                                 CancelSignal cancel)
{
    auto& worker = *worker_;
    worker.card_was_reset = false;
    if (index >= worker.listed.size())
        return Error{Errc::bad_argument, "no certificate with that index was listed"};
    if (!usable(pin))
        return Error{Errc::bad_argument, "a PIN holds an octet 0"};
    if (digest_info.empty() || digest_info.size() > max_digest_info)
        return Error{Errc::bad_argument, "a DigestInfo has no such length"};

    // A new worker proves that it can load and read before it is trusted with the PIN.
    if (!worker.child || worker.waiting)
        if (const auto listing = worker.list(Kind::list, {}, cancel); !listing)
            return listing.error();

    const auto request = encode_sign_request(worker.listed[index], digest_info);
    const auto time = pin.empty() ? worker.deadlines.pad : worker.deadlines.sign;
    auto outcome =
        worker.read_outcome(worker.ask(Kind::sign, request, {&pin}, patience(time, cancel)));
    worker.end_after(outcome.has_value() && !worker.card_was_reset); // ours has let go
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

Result<int> Module::puk_tries_left(std::size_t index, CancelSignal cancel)
{
    auto& worker = *worker_;
    if (index >= worker.listed.size())
        return Error{Errc::bad_argument, "no certificate with that index was listed"};
    if (!worker.child || worker.waiting)
        if (const auto listing = worker.list(Kind::list, {}, cancel); !listing)
            return listing.error();
    const auto answer = worker.ask(Kind::puk_tries, worker.listed[index], {},
                                   patience(worker.deadlines.list, cancel));
    if (!answer) {
        worker.end();
        return answer.error();
    }
    if (answer->kind == Kind::refused)
        return decode_refusal(answer->body);
    return answer->kind == Kind::tries ? decode_tries(answer->body) : unexpected_answer();
}

Result<PinChangeOutcome> Module::set_pin(bool unblock, std::size_t index, const Pin& offered,
                                         const Pin& new_pin, CancelSignal cancel)
{
    auto& worker = *worker_;
    worker.card_was_reset = false;
    if (index >= worker.listed.size())
        return Error{Errc::bad_argument, "no certificate with that index was listed"};
    const bool at_pad = offered.empty() && new_pin.empty();
    if (offered.empty() != new_pin.empty() || !usable(offered) || !usable(new_pin))
        return Error{Errc::bad_argument, "a PIN is missing or holds an octet 0"};
    if (!worker.child || worker.waiting)
        if (const auto listing = worker.list(Kind::list, {}, cancel); !listing)
            return listing.error();

    const auto time = at_pad ? worker.deadlines.pad : worker.deadlines.sign;
    auto outcome = Worker::read_pin_change(
        worker.ask(unblock ? Kind::unblock_pin : Kind::change_pin, worker.listed[index],
                   {&offered, &new_pin}, patience(time, cancel)));
    worker.end_after(outcome.has_value());
    return outcome;
}

Result<PinChangeOutcome> Module::change_pin(std::size_t index, const Pin& old_pin,
                                            const Pin& new_pin, CancelSignal cancel)
{
    return set_pin(false, index, old_pin, new_pin, cancel);
}

Result<PinChangeOutcome> Module::unblock_pin(std::size_t index, const Pin& puk,
                                             const Pin& new_pin, CancelSignal cancel)
{
    return set_pin(true, index, puk, new_pin, cancel);
}

pid_t Module::worker_pid() const noexcept
{
    return worker_->child ? worker_->child->pid() : -1;
}

} // namespace cps::pkcs11
