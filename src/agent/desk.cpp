#include "desk.hpp"

#include "recording.hpp"
#include "signing.hpp"

#include "cps/base/log.hpp"

#include <algorithm>
#include <stop_token>
#include <utility>

namespace cps::agent {
namespace {

constexpr std::size_t max_waiting = 16; // silent renewals; a page that is refused comes again
constexpr std::size_t max_between = 4;

/// No dialog will open.
bool is_silent(const TokenRequest& request)
{
    return request.session && request.session->silent;
}

} // namespace

Desk::Desk(const Config& config, const std::string& worker, Presence& presence,
           PinPrompt& prompt, Sessions& sessions, Consents& consents, Journal& journal)
    : config_{config},
      presence_{presence},
      prompt_{prompt},
      sessions_{sessions},
      consents_{consents},
      journal_{journal},
      module_{worker, config.module},
      thread_{[this] { run(); }}
{
}

Desk::~Desk()
{
    stop();
    thread_.join();
}

void Desk::stop()
{
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
    if (running_ != nullptr)
        running_->signal(Errc::internal);
    wake_.notify_all();
}

void Desk::tend()
{
    const std::scoped_lock lock{mutex_};
    tending_ = true;
    wake_.notify_all();
}

void Desk::set_away(bool away)
{
    const std::scoped_lock lock{mutex_};
    away_ = away;
}

void Desk::interrupt()
{
    const std::scoped_lock lock{mutex_};
    for (auto& job : waiting_)
        job.interrupted = true;
    if (running_ != nullptr)
        running_->signal(Errc::screen_locked);
}

bool Desk::idle() const
{
    const std::scoped_lock lock{mutex_};
    return running_ == nullptr && waiting_.empty();
}

std::optional<Errc> Desk::refusal(const TokenRequest& request) const
{
    const auto known = [&](const token::Feature& feature) {
        if (feature.is_login())
            return !request.request;
        return request.request.has_value() && request.portal != nullptr &&
               request.portal->features.contains(feature);
    };
    // A login token says "login" and no more; a request token says one feature; those of a
    // session were looked at when it was drafted.
    if (!request.session && (request.challenge.features.size() != 1 ||
                             !std::ranges::all_of(request.challenge.features, known)))
        return Errc::feature_unknown;
    if (request.web_eid ? answered_.contains(request.origin, *request.web_eid)
                        : answered_.contains(request.origin, request.challenge.nonce))
        return Errc::challenge_stale;
    if (away_)
        return Errc::screen_locked;
    const bool silent = is_silent(request);
    if (!silent && cool_down_.must_wait(request.origin, request.received))
        return Errc::rate_limited;
    if (stopping_ || (silent ? waiting_.size() >= max_waiting : busy_))
        return Errc::busy;
    return presence_.obstacle();
}

void Desk::submit(TokenRequest request, Done done)
{
    std::unique_lock lock{mutex_};
    if (const auto refused = refusal(request)) {
        lock.unlock();
        return done({Error{*refused, "refused before any dialog"}, {}});
    }
    if (!is_silent(request))
        busy_ = true;
    auto gone = request.gone;
    waiting_.push_back({TokenJob{std::move(request), std::move(done)}, std::move(gone)});
    wake_.notify_all();
}

void Desk::submit(PinTask task, PinDone done)
{
    std::unique_lock lock{mutex_};
    const auto refused = away_                ? std::optional{Errc::screen_locked}
                         : stopping_ || busy_ ? std::optional{Errc::busy}
                                              : presence_.obstacle();
    if (refused) {
        lock.unlock();
        return done({Error{*refused, "refused before any dialog"}});
    }
    busy_ = true;
    auto gone = task.gone;
    waiting_.push_back({PinJob{std::move(task), std::move(done)}, std::move(gone)});
    wake_.notify_all();
}

bool Desk::between(std::function<void(Cancel&)> work)
{
    const std::scoped_lock lock{mutex_};
    if (stopping_ || between_.size() >= max_between)
        return false;
    between_.push_back(std::move(work));
    wake_.notify_all();
    return true;
}

void Desk::run_between(std::unique_lock<std::mutex>& lock)
{
    const auto work = std::move(between_.front());
    between_.pop_front();
    Cancel cancel;
    running_ = &cancel;
    lock.unlock();
    work(cancel);
    lock.lock();
    running_ = nullptr;
}

void Desk::run()
{
    std::unique_lock lock{mutex_};
    for (;;) {
        wake_.wait(lock, [this] {
            return stopping_ || tending_ || !waiting_.empty() || !between_.empty();
        });
        if (!waiting_.empty()) {
            work(lock);
        } else if (stopping_) {
            return;
        } else if (!between_.empty()) {
            run_between(lock);
        } else if (std::exchange(tending_, false)) {
            lock.unlock();
            look_after_worker();
            lock.lock();
        }
    }
}

/// The next job, with `lock` given back while it lasts.
void Desk::work(std::unique_lock<std::mutex>& lock)
{
    auto job = std::move(waiting_.front());
    waiting_.pop_front();
    Cancel cancel;
    running_ = &cancel;
    if (stopping_)
        cancel.signal(Errc::internal);
    if (job.interrupted)
        cancel.signal(Errc::screen_locked);
    lock.unlock();
    {
        const std::stop_callback caller_left{job.gone, [&] { cancel.signal(Errc::cancelled); }};
        std::visit([&](auto& one) { serve(one, cancel); }, job.work);
    }
    lock.lock();
    tending_ = true; // after the caller has its answer
}

/// One waits while a PIN is kept, for then a renewal may come that nobody types a code for.
void Desk::look_after_worker()
{
    module_.tidy();
    guards_.tidy();
    if (sessions_.keeps_pin() && module_.may_wait()) {
        module_.make_ready();
        guards_.make_ready(module_.worker_pid());
    } else {
        guards_.end();
        module_.end();
    }
}

Bench Desk::bench(Cancel& cancel)
{
    return {config_, module_,   guards_, last_chosen_, presence_,
            prompt_, sessions_, cancel,  consents_};
}

void Desk::serve(TokenJob& job, Cancel& cancel)
{
    Outcome outcome{Error{}, {}};
    if (const auto room = journal_.ready(); !room)
        outcome.token = room.error(); // the person is not asked in vain
    else
        outcome = recorded(journal_, job.request, sign_token(job.request, bench(cancel)));
    if (!outcome.token)
        log::write(log::Level::notice, outcome.token.error());
    finish(job, std::move(outcome));
}

void Desk::serve(PinJob& job, Cancel& cancel)
{
    PinTaskOutcome outcome{Error{}};
    if (const auto room = journal_.ready(); !room)
        outcome.done = room.error();
    else
        outcome = run_pin_task(job.task, bench(cancel));
    record(journal_, job.task, outcome);
    if (!outcome.done)
        log::write(log::Level::notice, outcome.done.error());
    {
        const std::scoped_lock lock{mutex_};
        running_ = nullptr;
        busy_ = false;
    }
    job.done(std::move(outcome));
}

void Desk::finish(TokenJob& job, Outcome outcome)
{
    {
        const std::scoped_lock lock{mutex_};
        running_ = nullptr;
        const auto& origin = job.request.origin;
        if (outcome.token) {
            if (job.request.web_eid)
                answered_.add(origin, *job.request.web_eid);
            else
                answered_.add(origin, job.request.challenge.nonce);
            cool_down_.agreed(origin);
        } else if (const auto code = outcome.token.error().code();
                   code == Errc::pin_cancelled || code == Errc::consent_refused ||
                   code == Errc::pin_timeout) {
            cool_down_.refused(origin, std::chrono::steady_clock::now());
        }
        if (!is_silent(job.request))
            busy_ = false;
    }
    job.done(std::move(outcome));
}

} // namespace cps::agent
