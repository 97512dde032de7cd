#include "cps/pcsc/connection.hpp"

#include "native.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

namespace cps::pcsc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr DWORD any_protocol = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1;
// libpcsclite's own wait for a held card sleeps 100 to 200 ms and has no end: ask whether it
// is held first, without blocking.
constexpr std::chrono::milliseconds lock_poll{2};
constexpr std::chrono::milliseconds slowest_lock_poll{20};
constexpr int max_resets_seen = 16; // by others, while we take the card: then give up

struct CardTraits {
    using type = SCARDHANDLE;
    static constexpr type empty = 0;
    static void close(type card) noexcept { ::SCardDisconnect(card, SCARD_LEAVE_CARD); }
};

} // namespace

struct Connection::State {
    /// Not blocking: SCARD_E_SHARING_VIOLATION while another program holds the card,
    /// SCARD_W_RESET_CARD after a reset by it, SCARD_W_REMOVED_CARD.
    LONG probe() const noexcept
    {
        std::array<BYTE, MAX_ATR_SIZE> answer;
        auto size = static_cast<DWORD>(answer.size());
        return ::SCardGetAttrib(card.get(), attribute_atr, answer.data(), &size);
    }
    LONG wait_until_free(Clock::time_point deadline) const
    {
        for (auto pause = lock_poll;; pause = std::min(pause * 2, slowest_lock_poll)) {
            const auto rc = probe();
            if (rc != SCARD_E_SHARING_VIOLATION || Clock::now() >= deadline)
                return rc;
            std::this_thread::sleep_for(pause);
        }
    }
    /// Our handle learns of a reset by another program; nothing happens to the card.
    LONG accept_reset() noexcept
    {
        was_reset = true;
        return ::SCardReconnect(card.get(), SCARD_SHARE_SHARED, any_protocol, SCARD_LEAVE_CARD,
                                &protocol);
    }
    LONG look(DWORD& negotiated)
    {
        std::array<BYTE, MAX_ATR_SIZE> answer;
        auto size = static_cast<DWORD>(answer.size());
        DWORD name_size = 0;
        DWORD reader_state = 0;
        const auto rc = ::SCardStatus(card.get(), nullptr, &name_size, &reader_state,
                                      &negotiated, answer.data(), &size);
        if (rc == SCARD_S_SUCCESS)
            atr.assign(answer.begin(),
                       answer.begin() + static_cast<std::ptrdiff_t>(
                                            std::min<std::size_t>(size, answer.size())));
        return rc;
    }
    /// The first thing in a transaction. Outside one, another program's reset may come between
    /// any two calls; and pcscd 1.9.9 looks for a reset before it gives the card, negotiates
    /// the protocol before it makes a handle, and so may give the card with a reset untold
    /// (2026-11).
    LONG settle()
    {
        DWORD negotiated = SCARD_PROTOCOL_UNDEFINED;
        auto rc = look(negotiated);
        if (rc == SCARD_W_RESET_CARD || (rc == SCARD_S_SUCCESS && negotiated != protocol)) {
            rc = accept_reset();
            if (rc == SCARD_S_SUCCESS)
                rc = look(negotiated);
        }
        return rc == SCARD_S_SUCCESS && atr.empty() ? SCARD_W_UNRESPONSIVE_CARD : rc;
    }

    UniqueContext context; // before `card`: goes after it
    UniqueHandle<CardTraits> card;
    DWORD protocol = SCARD_PROTOCOL_UNDEFINED;
    Bytes atr;
    bool was_reset = false; // since the transaction before
};

Connection::Connection(std::unique_ptr<State> state) noexcept : state_{std::move(state)} {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const std::string& reader)
{
    auto state = std::make_unique<State>();
    auto context = establish();
    if (!context)
        return context.error();
    state->context = std::move(*context);

    SCARDHANDLE card = 0;
    auto rc = ::SCardConnect(state->context.get(), reader.c_str(), SCARD_SHARE_SHARED,
                             any_protocol, &card, &state->protocol);
    if (rc != SCARD_S_SUCCESS)
        return error_of(rc, "no connection to the card");
    state->card.reset(card);
    return Connection{std::move(state)};
}

ByteView Connection::atr() const noexcept
{
    return state_->atr;
}

Result<Transaction> Connection::begin(std::chrono::milliseconds patience)
{
    const auto deadline = Clock::now() + patience;
    for (int resets = 0; resets != max_resets_seen; ++resets) {
        auto rc = state_->wait_until_free(deadline);
        if (rc == SCARD_E_SHARING_VIOLATION)
            return error_of(rc, "another program holds the card");
        if (rc != SCARD_W_RESET_CARD && rc != SCARD_W_REMOVED_CARD)
            rc = ::SCardBeginTransaction(state_->card.get());
        if (rc == SCARD_S_SUCCESS) {
            Transaction begun{*state_};
            if (rc = state_->settle(); rc != SCARD_S_SUCCESS)
                return error_of(rc, "the card is not told of");
            begun.follows_reset_ = std::exchange(state_->was_reset, false);
            return Result<Transaction>{std::move(begun)};
        }
        if (rc != SCARD_W_RESET_CARD)
            return error_of(rc, "the card cannot be taken");
        if (rc = state_->accept_reset(); rc != SCARD_S_SUCCESS)
            return error_of(rc, "the card does not come back from a reset");
    }
    return Error{Errc::card_in_use, "other programs keep resetting the card"};
}

Result<Bytes> Connection::control(std::uint32_t code, ByteView input)
{
    std::array<BYTE, 512> answer; // octets: PC/SC part 10 answers have some dozens
    DWORD size = 0;
    const auto rc =
        ::SCardControl(state_->card.get(), code, input.data(), static_cast<DWORD>(input.size()),
                       answer.data(), static_cast<DWORD>(answer.size()), &size);
    if (rc != SCARD_S_SUCCESS)
        return error_of(rc, "the reader refused a control command");
    return Bytes{answer.begin(),
                 answer.begin() +
                     static_cast<std::ptrdiff_t>(std::min<std::size_t>(size, answer.size()))};
}

bool Connection::card_gone(std::chrono::milliseconds within) const
{
    const auto deadline = Clock::now() + within;
    while (state_->probe() != SCARD_W_REMOVED_CARD) {
        if (Clock::now() >= deadline)
            return false;
        std::this_thread::sleep_for(slowest_lock_poll);
    }
    return true;
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_{std::exchange(other.connection_, nullptr)},
      follows_reset_{other.follows_reset_}
{
}

Transaction::~Transaction()
{
    (void)end(Leave::as_is);
}

apdu::Response Transaction::exchange(const apdu::Command& command)
{
    if (connection_ == nullptr)
        throw Error{Errc::internal, "an exchange outside a transaction"};
    auto& at = *connection_;
    const bool t0 = at.protocol == SCARD_PROTOCOL_T0;
    const auto sent = t0 ? command.bytes_for_t0() : command.bytes();
    std::array<BYTE, apdu::max_le + 2> answer;
    auto size = static_cast<DWORD>(answer.size());
    auto rc = ::SCardTransmit(at.card.get(), t0 ? SCARD_PCI_T0 : SCARD_PCI_T1, sent.data(),
                              static_cast<DWORD>(sent.size()), nullptr, answer.data(), &size);
    if (rc == SCARD_E_NOT_TRANSACTED && at.probe() == SCARD_W_REMOVED_CARD)
        rc = SCARD_W_REMOVED_CARD; // pulled in the middle of it
    // Inside our own transaction: by SCardDisconnect of another program, which pcscd lets
    // reset the card when it was free a moment before.
    if (rc == SCARD_W_RESET_CARD)
        throw Error{Errc::card_in_use, "another program reset the card under us", rc};
    if (rc != SCARD_S_SUCCESS)
        throw error_of(rc, "the card did not answer");
    if (size < 2 || size > answer.size())
        throw Error{Errc::malformed_input, "the card's answer has no status word"};
    const auto status = static_cast<std::uint16_t>(answer[size - 2] << 8 | answer[size - 1]);
    return {{answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(size - 2)},
            apdu::StatusWord{status}};
}

Result<void> Transaction::end(Leave leave)
{
    const auto at = std::exchange(connection_, nullptr);
    if (at == nullptr)
        return {};
    const DWORD disposition = leave == Leave::reset ? SCARD_RESET_CARD : SCARD_LEAVE_CARD;
    auto rc = ::SCardEndTransaction(at->card.get(), disposition);
    // pcscd keeps the card ours until our handle has heard of a reset.
    if (rc == SCARD_W_RESET_CARD && at->accept_reset() == SCARD_S_SUCCESS)
        rc = ::SCardEndTransaction(at->card.get(), disposition);
    if (rc != SCARD_S_SUCCESS)
        return error_of(rc, "the card was not let go cleanly");
    return {};
}

} // namespace cps::pcsc
