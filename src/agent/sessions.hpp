#pragma once

#include "card_pins.hpp"
#include "config.hpp"
#include "portals.hpp"
#include "session.hpp"
#include "session_events.hpp"

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cps::agent {

/// What the card is to sign for a session: part of a TokenRequest.
struct SessionAsk {
    std::string id;
    token::SessionClaims claims;
    std::optional<RenewalBase> renewal{}; ///< absent: the session is being opened
    bool silent = false; ///< a PIN is kept for the renewal, so that nobody need be asked
};

/// A session as the person's tools show it.
struct SessionView {
    std::string short_id; ///< enough to name it to `end_one`, not enough to use it
    token::Origin origin;
    std::vector<token::Feature> features;
    unsigned limit = 0;
    unsigned left = 0;
    EpochSeconds opened;
    std::chrono::seconds open_for{0};
    std::chrono::seconds idle_for{0};
};

/// Every session, and the PINs that renew them. Thread-safe, under one lock: once `cards_are`,
/// `end_all` or an `end` has returned, no feature token of what it ended is made any more.
class Sessions {
public:
    static constexpr std::size_t max_of_origin = 8; // the oldest gives way: it cost a PIN
    static constexpr std::size_t max_in_all = 32;   // beyond: overloaded
    static constexpr std::size_t short_id_size = 8; // characters of 22

    struct Opened {
        std::string id;
        std::chrono::seconds expires_in{0};
        unsigned limit = 0;
    };

    Sessions(const Config& config, const Clock& clock, Revoker& revoker);
    ~Sessions();
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;

    /// Before the first session; `events` outlives the sessions.
    void add_observer(SessionEvents& events);

    // The life of a session. Only its origin reaches it; any other hears session_ended.

    /// A draft with a key, to be opened or abandoned. Errors: feature_unknown (not one of the
    /// portal's, or one that wants the card each time), overloaded.
    Result<SessionAsk> draft(const Portal& portal, const std::vector<token::Feature>& features);
    void abandon(const std::string& id);
    /// The card signed. Errors: card_removed; session_ended (everything was ended meanwhile).
    Result<Opened> open(const std::string& id, std::string_view session_token,
                        SessionGrant grant);

    /// Errors: session_ended; limit_reached; feature_unknown (more than was agreed to); busy
    /// (a renewal is under way).
    Result<SessionAsk> ask_renewal(const token::Origin& origin, std::string_view id,
                                   const std::vector<token::Feature>& features);
    /// Errors: session_ended; limit_reached.
    Result<Opened> renew(const std::string& id, std::string_view session_token,
                         SessionGrant grant, std::vector<token::Feature> features);
    /// @param card_refused the card is not what it was: ends every session.
    void renewal_failed(const std::string& id, bool card_refused);

    /// Errors: those of Session::feature_token, session_ended.
    Result<FeatureToken> feature_token(const token::Origin& origin, std::string_view id,
                                       const FeatureCall& call);

    // The PIN that renews, on the desk's thread; whether there is one, on any.

    bool keeps_pin() const;
    std::optional<Pin> lend_pin(const CardInReader& card);
    void give_back_pin(const CardInReader& card, Pin pin);

    // Ends.

    /// The page's word. Errors: session_ended.
    Result<void> end(const token::Origin& origin, std::string_view id);
    /// The person's word, by short id. False when there is no such session.
    bool end_one(std::string_view short_id, SessionEnd reason);
    /// All of them, drafts too, and every PIN. Returns how many were open.
    std::size_t end_all(SessionEnd reason);
    /// Those of portals that are not registered (any more), drafts too.
    void end_strangers(const Portals& registered);
    /// The reader monitor's word: what belongs to a card that is gone ends.
    void cards_are(const pcsc::Snapshot& now);
    /// Ends what is idle or too old; when to look again, if there is anything.
    std::optional<Session::Time> sweep();

    std::vector<SessionView> list() const;

private:
    using Map = std::map<std::string, Session, std::less<>>;
    Map::iterator find(const token::Origin& origin, std::string_view id);
    std::optional<SessionEnd> over(const Session& session, Session::Time now) const;
    Map::iterator finish(Map::iterator session, SessionEnd reason);
    void finish_all(SessionEnd reason);
    void make_room(const token::Origin& origin);
    void wipe_unused_pins();
    template <class Tell>
    void tell(Tell each) const;

    const Config& config_;
    const Clock& clock_;
    Revoker& revoker_;
    std::vector<SessionEvents*> observers_;

    mutable std::mutex mutex_;
    pcsc::Snapshot cards_;
    Map sessions_;
    CardPins pins_;
};

} // namespace cps::agent
