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
        return ::SCardReconnect(card.get(), SCARD_SHARE_SHARED, any_protocol, SCARD_LEAVE_CARD,
                                &protocol);
    }

    UniqueContext context; // before `card`: goes after it
    UniqueHandle<CardTraits> card;
    DWORD protocol = SCARD_PROTOCOL_UNDEFINED;
    Bytes atr;
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

    std::array<BYTE, MAX_ATR_SIZE> atr;
    auto atr_size = static_cast<DWORD>(atr.size());
    DWORD name_size = 0;
    DWORD reader_state = 0;
    DWORD protocol = 0;
    rc = ::SCardStatus(card, nullptr, &name_size, &reader_state, &protocol, atr.data(),
                       &atr_size);
    if (rc != SCARD_S_SUCCESS && rc != SCARD_W_RESET_CARD)
        return error_of(rc, "the card's answer to reset cannot be read");
    if (rc == SCARD_S_SUCCESS)
        state->atr.assign(atr.begin(), atr.begin() + std::min<std::ptrdiff_t>(
                                                         static_cast<std::ptrdiff_t>(atr_size),
                                                         MAX_ATR_SIZE));
    return Connection{std::move(state)};
}

ByteView Connection::atr() const noexcept
{
    return state_->atr;
}

Result<Transaction> Connection::begin(std::chrono::milliseconds patience)
{
    const auto deadline = Clock::now() + patience;
    bool reset = false;
    for (int resets = 0; resets != max_resets_seen; ++resets) {
        auto rc = state_->wait_until_free(deadline);
        if (rc == SCARD_E_SHARING_VIOLATION)
            return error_of(rc, "another program holds the card");
        if (rc != SCARD_W_RESET_CARD && rc != SCARD_W_REMOVED_CARD)
            rc = ::SCardBeginTransaction(state_->card.get());
        if (rc == SCARD_S_SUCCESS)
            return Transaction{*state_, reset};
        if (rc != SCARD_W_RESET_CARD)
            return error_of(rc, "the card cannot be taken");
        reset = true;
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
    if (rc == SCARD_W_RESET_CARD)  // inside our own transaction: nobody but pcscd itself
        throw Error{Errc::card_removed, "the card was reset under us", rc};
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
    const auto rc = ::SCardEndTransaction(
        at->card.get(), leave == Leave::reset ? SCARD_RESET_CARD : SCARD_LEAVE_CARD);
    if (rc != SCARD_S_SUCCESS)
        return error_of(rc, "the card was not let go cleanly");
    return {};
}

} // namespace cps::pcsc
