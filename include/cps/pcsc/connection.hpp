#pragma once

#include "cps/apdu/channel.hpp"
#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace cps::pcsc {

class Transaction;

/// What is left of the card's security status when we let go of it.
enum class Leave { as_is, reset };

/// One shared connection to the card in one reader, over a context of its own. Blocking; one
/// thread at a time. pcscd may block longer than any deadline given: see `Worker`.
class Connection {
public:
    /// Errors: no_card, card_mute, card_in_use (an exclusive holder), no_reader, no_service.
    static Result<Connection> open(const std::string& reader);
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;
    /// Leaves the card as it is.
    ~Connection();

    /// As the card told it in the transaction last begun; empty before the first one.
    ByteView atr() const noexcept;
    /// Waits until no other program holds the card and takes it. The connection must outlive
    /// the transaction and have one at a time.
    /// Errors: card_in_use after `patience`; card_removed, no_service: the connection is dead.
    Result<Transaction> begin(std::chrono::milliseconds patience);

    /// Sends a reader, not a card, a command (PC/SC part 10). Errors: not_supported.
    Result<Bytes> control(std::uint32_t code, ByteView input);
    /// Whether the card has gone, as pcscd tells within that time: it looks for it each 0.4 s,
    /// and not while the reader works.
    bool card_gone(std::chrono::milliseconds within) const;

private:
    friend class Transaction;
    struct State;
    explicit Connection(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

/// The card is ours alone until this goes; a process that dies inside one leaves the card
/// reset, by pcscd.
class Transaction final : public apdu::Channel {
public:
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction() override;

    apdu::Response exchange(const apdu::Command& command) override;
    /// Somebody reset the card between the transaction before and this one, so that what was
    /// selected and verified is gone.
    bool follows_reset() const noexcept { return follows_reset_; }
    /// Ends it early. Errors: those of `exchange`.
    Result<void> end(Leave leave);

private:
    friend class Connection;
    explicit Transaction(Connection::State& connection) noexcept : connection_{&connection} {}
    Connection::State* connection_; // null when ended or moved from
    bool follows_reset_ = false;
};

} // namespace cps::pcsc
