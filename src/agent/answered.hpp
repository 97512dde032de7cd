#pragma once

#include "cps/token/values.hpp"
#include "cps/token/web_eid.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace cps::agent {

/// The nonces that were signed, by origin, so that none is signed twice. Bounded: the oldest
/// goes first, and a portal keeps a nonce for 120 s anyway. One thread at a time.
class AnsweredNonces {
public:
    static constexpr std::size_t capacity = 4096; // nonces: about 500 kB at most

    bool contains(const token::Origin& origin, const token::Nonce& nonce) const
    {
        return contains(origin, nonce.str());
    }
    void add(const token::Origin& origin, const token::Nonce& nonce)
    {
        add(origin, nonce.str());
    }
    /// Always longer than a Nonce, so that the two kinds never meet.
    bool contains(const token::Origin& origin, const token::WebEidNonce& nonce) const
    {
        return contains(origin, nonce.str());
    }
    void add(const token::Origin& origin, const token::WebEidNonce& nonce)
    {
        add(origin, nonce.str());
    }

private:
    using Key = std::pair<token::Origin, std::string>;
    bool contains(const token::Origin& origin, const std::string& nonce) const;
    void add(const token::Origin& origin, const std::string& nonce);
    std::set<Key> seen_;
    std::deque<Key> order_;
};

/// After the person refused, the same origin waits before it may open a dialog again. One
/// thread at a time.
class CoolDown {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds first{5};     // after one refusal
    static constexpr std::chrono::seconds longest{300}; // doubled up to here
    static constexpr std::size_t capacity = 1024;       // origins; all are forgotten beyond

    void refused(const token::Origin& origin, Time now);
    void agreed(const token::Origin& origin);
    bool must_wait(const token::Origin& origin, Time now) const;

private:
    struct Wait {
        Time until;
        std::chrono::seconds length;
    };
    std::map<token::Origin, Wait> waits_;
};

} // namespace cps::agent
