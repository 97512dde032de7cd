#pragma once

#include "card_cache.hpp"
#include "config.hpp"

#include "cps/card/card.hpp"
#include "cps/pcsc/card.hpp"
#include "cps/pcsc/connection.hpp"
#include "cps/pcsc/pin_pad.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace cps::p11 {

enum class Login { none, user, unblocking };

/// What a card is and holds; public, and the same for as long as it stays in the reader.
struct Identity {
    pcsc::Family family = pcsc::Family::unknown;
    std::string serial;
    card::Contents contents;
    bool pin_pad = false; ///< the reader takes PINs itself
};

/// Whether an error says that there is no card any more, nor anything to protect on it.
bool is_gone(Errc code) noexcept;

/// Null for a family without a driver.
std::unique_ptr<card::Card> driver_for(pcsc::Family family);

/// The card in one reader as the worker's thread sees it: connection, transaction, login.
/// All of it runs on that thread but what is noexcept and const, which any thread may ask.
/// Errors are thrown as the card and PC/SC layers raise them; after one that says that the
/// card or its reader is gone the connection is dropped, and the next call makes a new one.
class CardAccess {
public:
    CardAccess(std::string reader, const Config& config);

    /// Serial number and directory files; from the cache what it has.
    Identity identify();
    /// A public file through the cache. @param afresh reads the card and replaces the copy.
    Bytes public_file(const card::Path& path, bool afresh);
    Bytes file(const card::Path& path);

    card::PinStatus pin_status(card::PinRole role);
    /// From a success on the card is ours, or stays verified in shared mode.
    card::PinOutcome log_in(card::PinRole role, const Pin& padded);
    card::PinOutcome change_pin(const Pin& old_padded, const Pin& new_padded);
    /// The same with what the person types at the reader. @throws Error pin_cancelled,
    /// pin_timeout; not_supported where card or reader cannot.
    card::PinOutcome log_in_at_pad(card::PinRole role, const card::PinFormat& format);
    card::PinOutcome change_pin_at_pad(const card::PinFormat& format);
    /// @throws Refusal USER_NOT_LOGGED_IN unless the PUK was verified by `log_in`.
    void unblock(const Pin& new_padded);
    /// Resets the card and lets it go. Also what idleness ends in. False: the card is there and
    /// could not be reset.
    bool log_out() noexcept;
    /// What the last session ends with when nobody here is logged in: resets a card that
    /// another program has left verified. One that a program holds at this moment is left to
    /// it.
    void leave() noexcept;

    /// @throws Refusal USER_NOT_LOGGED_IN without a login.
    Bytes sign(const card::PrivateKey& key, card::Scheme scheme,
               crypto::DigestAlgorithm algorithm, ByteView value);
    std::optional<Bytes> decipher(const card::PrivateKey& key, ByteView cryptogram);
    Bytes random(std::size_t size);

    Login login() const noexcept { return login_; }
    /// A session opens: from now on the card is ours to leave unverified.
    void enter() noexcept { used_ = true; }
    /// Something was done here, or a session opened, after our last reset of the card.
    bool used() const noexcept { return used_; }
    /// A transaction is held, and somebody has to end it.
    bool holds_card() const noexcept { return holds_; }
    /// pcscd has been asked for a connection and has not answered: another program holds the
    /// card.
    bool connecting() const noexcept { return connecting_; }

private:
    template <class Use>
    auto with_card(Use use);
    template <class Verify>
    card::PinOutcome log_in_by(card::PinRole role, Verify verify);
    bool is_blocked(apdu::Channel& channel, card::PinRole role);
    void connect();
    void recognise();
    pcsc::Transaction begin(std::chrono::milliseconds at_most);
    void note(const Error& e) noexcept;
    void drop() noexcept;
    void require(Login login) const;
    Bytes through_cache(apdu::Channel& channel, const card::Path& path, bool afresh);
    void keep_files();

    const std::string reader_;
    const Config config_;
    pcsc::Family family_ = pcsc::Family::unknown;
    std::unique_ptr<card::Card> driver_;
    std::optional<pcsc::PinPad> pad_;
    std::optional<pcsc::Connection> connection_;
    std::optional<pcsc::Transaction> held_; // since the login
    std::optional<CardCache> cache_;
    CardCache::Files files_; // what the cache has or will have
    bool files_changed_ = false;
    std::atomic<Login> login_ = Login::none;
    std::atomic<bool> used_ = false;
    std::atomic<bool> holds_ = false;
    std::atomic<bool> connecting_ = false;
};

} // namespace cps::p11
