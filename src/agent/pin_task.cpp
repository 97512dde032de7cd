#include "pin_task.hpp"

#include "card_checks.hpp"
#include "card_code.hpp"
#include "chosen.hpp"
#include "pin_texts.hpp"
#include "with_guard.hpp"

#include "cps/pkcs11_client/module.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds dialog_time{60};   // one dialog
constexpr seconds request_time{110}; // all of them: less than cpsctl waits
constexpr unsigned max_dialogs = 10; // of one task: entries that are no code, or differ

/// Cryptoki tells the PUK's last two tries alone: more are a count that nobody knows.
std::optional<int> known_tries(int tries, bool of_the_puk)
{
    return of_the_puk && tries > 2 ? std::nullopt : std::optional{tries};
}

/// One task from its first look at the card to the card's answer.
class PinWork {
public:
    PinWork(const PinTask& task, const Bench& bench) : task_{task}, bench_{bench} {}

    Result<void> run();
    std::optional<int> tries_left() const noexcept { return tries_left_; }
    bool asked() const noexcept { return dialogs_ != 0; }
    bool offered() const noexcept { return offered_; }

private:
    bool unblocks() const noexcept { return task_.kind == PinTask::Kind::unblock; }
    Result<void> look();
    Result<void> agree_to_last_try();
    Result<Pin> ask(PinEntry entry, PinAsk::Before before);
    Result<Pin> ask_until_formed(PinEntry entry, std::size_t digits, PinAsk::Before before);
    Result<Pin> ask_new();
    Result<void> at_keypad();
    Result<void> offer(const Pin& known, const Pin& new_pin);
    PinAsk words(PinAsk::Before before = PinAsk::Before::nothing) const
    {
        return {task_.kind, task_.language, holder_, tries_left_.value_or(3), before};
    }
    PinPrompt::Deadline until() const
    {
        return std::min(steady_clock::now() + dialog_time, task_.received + request_time);
    }
    pkcs11::CancelSignal signal() const { return {bench_.cancel.fd()}; }

    const PinTask& task_;
    const Bench& bench_;
    pkcs11::TokenCertificate card_;
    std::string holder_;
    std::optional<int> tries_left_;
    unsigned dialogs_ = 0;
    bool offered_ = false;
};

/// The card with an authentication certificate, in date or not: its code is its holder's.
Result<void> PinWork::look()
{
    const auto found = list_certificates(bench_);
    if (!found)
        return found.error();
    for (const auto& candidate : *found)
        if (const auto read = authentication_certificate(candidate)) {
            card_ = candidate;
            holder_ = full_name(read->holder);
            return {};
        }
    return Error{found->empty() ? Errc::card_unsupported : Errc::certificate_missing,
                 "no certificate says whose card it is"};
}

Result<void> PinWork::agree_to_last_try()
{
    if (tries_left_ != 1)
        return {};
    ++dialogs_;
    return bench_.prompt.confirm(last_try_dialog(words()), bench_.cancel, until());
}

Result<Pin> PinWork::ask(PinEntry entry, PinAsk::Before before)
{
    if (dialogs_++ == max_dialogs)
        return Error{Errc::pin_cancelled, "too many entries for one request"};
    return bench_.prompt.ask_pin(entry_dialog(words(before), entry), bench_.cancel, until());
}

/// What is no code costs no try: the dialog comes back.
Result<Pin> PinWork::ask_until_formed(PinEntry entry, std::size_t digits, PinAsk::Before before)
{
    for (;;) { // `ask` counts
        auto pin = ask(entry, before);
        if (!pin || is_code(pin->bytes(), digits))
            return pin;
        before = PinAsk::Before::no_such_code;
    }
}

Result<Pin> PinWork::ask_new()
{
    auto before = PinAsk::Before::nothing;
    for (;;) { // `ask` counts
        auto pin = ask_until_formed(PinEntry::new_pin, pin_digits, before);
        if (!pin)
            return pin;
        const auto again = ask(PinEntry::new_pin_again, PinAsk::Before::nothing);
        if (!again)
            return again.error();
        if (std::ranges::equal(pin->bytes(), again->bytes()))
            return pin;
        before = PinAsk::Before::differ;
    }
}

Result<void> PinWork::at_keypad()
{
    if (unblocks())
        return Error{Errc::pin_change_unsupported, "no keypad takes a PUK and a new PIN"};
    ++dialogs_;
    auto notice = bench_.prompt.show(keypad_notice(words()), bench_.cancel,
                                     steady_clock::now() + pkcs11::Deadlines{}.pad);
    if (!notice)
        return notice.error();
    const Pin typed_there;
    return offer(typed_there, typed_there);
}

Result<void> PinWork::offer(const Pin& known, const Pin& new_pin)
{
    offered_ = true;
    const auto outcome = with_guard(bench_, card_.reader, [&](pkcs11::Module& module) {
        return unblocks() ? module.unblock_pin(card_.index, known, new_pin, signal())
                          : module.change_pin(card_.index, known, new_pin, signal());
    });
    if (outcome && !*outcome) {
        bench_.sessions.end_all(SessionEnd::pin_changed);
        tries_left_.reset();
        return {};
    }
    if (outcome) {
        tries_left_ = known_tries((*outcome)->tries_left, unblocks());
        return Error{unblocks() ? Errc::puk_wrong : Errc::pin_wrong,
                     "the card refused the code"};
    }
    const auto code = outcome.error().code();
    if (code == Errc::pin_blocked) {
        tries_left_ = 0;
        return Error{unblocks() ? Errc::puk_blocked : Errc::pin_blocked,
                     "that was the last try"};
    }
    if (code == Errc::not_supported)
        return Error{Errc::pin_change_unsupported, "the module refuses it",
                     outcome.error().native()};
    if (code != Errc::pin_cancelled && code != Errc::pin_timeout)
        bench_.sessions.end_all(SessionEnd::pin_changed); // nobody knows what the card did
    return explained(outcome.error(), bench_.cancel);
}

Result<void> PinWork::run()
{
    const Watch any_card{bench_.presence, bench_.cancel, {}};
    if (const auto found = look(); !found)
        return found;
    bench_.presence.watch(bench_.cancel, card_.reader);

    if (unblocks()) {
        const auto tries = bench_.module.puk_tries_left(card_.index, signal());
        if (!tries && tries.error().code() == Errc::not_supported)
            return Error{Errc::pin_change_unsupported, "the module does not unblock a PIN"};
        if (!tries)
            return explained(tries.error(), bench_.cancel);
        tries_left_ = known_tries(*tries, true);
    } else {
        tries_left_ = card_.tries_left;
    }
    if (tries_left_ == 0)
        return Error{unblocks() ? Errc::puk_blocked : Errc::pin_blocked, "no try is left"};
    if (const auto agreed = agree_to_last_try(); !agreed)
        return agreed;
    if (card_.pin_pad)
        return at_keypad();

    const auto known =
        ask_until_formed(unblocks() ? PinEntry::puk : PinEntry::old_pin,
                         unblocks() ? puk_digits : pin_digits, PinAsk::Before::nothing);
    if (!known)
        return known.error();
    const auto new_pin = ask_new();
    if (!new_pin)
        return new_pin.error();
    return offer(*known, *new_pin);
}

} // namespace

PinTaskOutcome run_pin_task(const PinTask& task, const Bench& bench)
{
    PinWork work{task, bench};
    PinTaskOutcome outcome{Error{}};
    try {
        outcome.done = work.run();
    } catch (const Error& e) {
        outcome.done = e;
    } catch (const std::exception&) {
        outcome.done = Error{Errc::internal, "the PIN's change failed"};
    }
    bench.module.end(); // one that only read the card, too
    outcome.tries_left = work.tries_left();
    outcome.asked = work.asked();
    outcome.offered = work.offered();
    if (!outcome.done && bench.cancel.reason())
        outcome.done = Error{*bench.cancel.reason(), "the card or the agent went away",
                             outcome.done.error().native()};
    return outcome;
}

} // namespace cps::agent
