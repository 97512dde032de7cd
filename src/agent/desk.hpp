#pragma once

#include "answered.hpp"
#include "bench.hpp"
#include "cancel.hpp"
#include "card_guards.hpp"
#include "chosen.hpp"
#include "config.hpp"
#include "consents.hpp"
#include "journal.hpp"
#include "pin_prompt.hpp"
#include "pin_task.hpp"
#include "portals.hpp"
#include "presence.hpp"
#include "sessions.hpp"

#include "cps/base/error.hpp"
#include "cps/pkcs11_client/module.hpp"
#include "cps/token/challenge.hpp"
#include "cps/token/values.hpp"
#include "cps/token/web_eid.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>

namespace cps::agent {

/// One card-signed token that a caller wants, checked and ready to be put to the person.
struct TokenRequest {
    token::Origin origin;
    const Portal* portal = nullptr; ///< null: an unknown origin, for the login feature alone
    token::Challenge challenge;
    std::optional<token::RequestBinding> request; ///< present: a request token
    std::chrono::steady_clock::time_point received;
    std::string language;    ///< "fr" or "en", of the dialogs
    std::stop_token gone;    ///< the caller left: the dialog goes too
    std::string resembles{}; ///< the registered origin that an unknown one looks like
    /// Present: a Web eID token for this nonce; the challenge is one of the agent's own.
    std::optional<token::WebEidNonce> web_eid{};
    std::optional<SessionAsk> session{}; ///< present: a session token
};

struct Outcome {
    Result<std::string> token; ///< the compact JWS, or the Web eID token as JSON
    std::optional<int> tries_left;
    std::optional<SessionGrant> grant{}; ///< with a session token
    bool card_refused = false;           ///< at a renewal: the card is not what it was
};

/// Where requests meet the person and the card: one at a time, on a thread of its own, since
/// dialogs and cards block. Nothing is retried by itself; a PIN is offered once. Silent
/// renewals wait for their turn; whatever opens a dialog is refused while another is open.
/// While a PIN is kept for them, a worker with our module waits for the next one, so that it
/// costs little more than the card's own time.
class Desk final : public SessionEvents {
public:
    using Done = std::function<void(Outcome)>;
    using PinDone = std::function<void(PinTaskOutcome)>;
    /// @param worker path of cps-agent-worker.
    /// @param journal gets every outcome before the caller does.
    Desk(const Config& config, const std::string& worker, Presence& presence, PinPrompt& prompt,
         Sessions& sessions, Consents& consents, Journal& journal);
    ~Desk() override;
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    /// Refuses at once what needs no person (challenge_stale, feature_unknown, rate_limited,
    /// busy, no card), else takes the job. `done` is called once, here or on the desk's thread.
    void submit(TokenRequest request, Done done);
    /// The same for the card's own code, which no page can ask for.
    void submit(PinTask task, PinDone done);
    /// Runs `work` on the desk's thread when no request waits: nobody else wants the card then.
    /// False: too much waits already. It must not throw; `cancel` tells it to stop.
    bool between(std::function<void(Cancel& cancel)> work);
    /// While the person is away nothing is taken: screen_locked.
    void set_away(bool away);
    /// The open dialog closes; it and what waits end with screen_locked.
    void interrupt();
    /// A child of the agent has ended: the worker that waits, perhaps.
    void tend();
    void session_opened(const SessionNews&) override { tend(); }
    void session_ended(const SessionNews&, SessionEnd) override { tend(); }
    /// Whether nothing is under way.
    bool idle() const;
    /// Ends the open dialog, if any, and takes no more work.
    void stop();

private:
    struct TokenJob {
        TokenRequest request;
        Done done;
    };
    struct PinJob {
        PinTask task;
        PinDone done;
    };
    struct Job {
        std::variant<TokenJob, PinJob> work;
        std::stop_token gone;
        bool interrupted = false;
    };
    std::optional<Errc> refusal(const TokenRequest& request) const;
    void run();
    void serve(TokenJob& job, Cancel& cancel);
    void serve(PinJob& job, Cancel& cancel);
    void run_between(std::unique_lock<std::mutex>& lock);
    void work(std::unique_lock<std::mutex>& lock);
    void look_after_worker();
    Bench bench(Cancel& cancel);
    void finish(TokenJob& job, Outcome outcome);

    const Config& config_;
    Presence& presence_;
    PinPrompt& prompt_;
    Sessions& sessions_;
    Consents& consents_;
    Journal& journal_;
    pkcs11::Module module_; ///< of the desk's thread, as what follows
    CardGuards guards_;
    LastChosen last_chosen_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> waiting_;
    std::deque<std::function<void(Cancel&)>> between_;
    bool busy_ = false;    ///< with what may open a dialog
    bool tending_ = false; ///< the waiting worker is to be looked after
    bool stopping_ = false;
    bool away_ = false;
    Cancel* running_ = nullptr; ///< of the job under way
    AnsweredNonces answered_;
    CoolDown cool_down_;
    std::thread thread_;
};

} // namespace cps::agent
