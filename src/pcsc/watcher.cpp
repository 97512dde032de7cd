#include "cps/pcsc/watcher.hpp"

#include "native.hpp"
#include "service_socket.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace cps::pcsc {
namespace {

using std::chrono::milliseconds;

constexpr auto plug_and_play = "\\\\?PnP?\\Notification";
constexpr std::size_t max_readers = PCSCLITE_MAX_READERS_CONTEXTS; // pcscd has no more
// SCardGetStatusChange counts readers when it starts: one that appears between our listing
// and that count is not told. New readers come in bursts, so look again a few times.
constexpr std::array<DWORD, 3> settling{100, 400, INFINITE}; // ms
// pcscd creates its socket before it listens on it.
constexpr milliseconds listen_poll{50};
constexpr int listen_attempts = 40;     // 2 s
constexpr milliseconds cancel_poll{10}; // SCardCancel before the wait has begun does nothing

/// SCARD_READERSTATE of every reader, the notification pseudo-reader last.
class States {
public:
    explicit States(std::vector<std::string> names) : names_{std::move(names)}
    {
        for (const auto& name : names_)
            add(name.c_str());
        add(plug_and_play);
    }
    States(const States&) = delete;
    States& operator=(const States&) = delete;
    /// What is so now. Asked as if nothing was known: with states that are still true
    /// libpcsclite (1.9.9) asks pcscd twice and turns in a loop for a millisecond.
    LONG look(SCARDCONTEXT context)
    {
        for (std::size_t i = 0; i != names_.size(); ++i)
            states_[i].dwCurrentState = SCARD_STATE_UNAWARE;
        return names_.empty() ? SCARD_S_SUCCESS : ask(context, 0, names_.size());
    }
    /// Waits for something else than what was found last.
    LONG wait(SCARDCONTEXT context, DWORD timeout)
    {
        return ask(context, timeout, states_.size());
    }
    const std::vector<std::string>& names() const noexcept { return names_; }
    std::vector<Reader> readers() const
    {
        std::vector<Reader> found;
        for (std::size_t i = 0; i != names_.size(); ++i)
            found.push_back(reader(names_[i], states_[i]));
        return found;
    }

private:
    LONG ask(SCARDCONTEXT context, DWORD timeout, std::size_t count)
    {
        const auto rc =
            ::SCardGetStatusChange(context, timeout, states_.data(), static_cast<DWORD>(count));
        for (auto& state : states_)
            state.dwCurrentState = state.dwEventState & ~DWORD{SCARD_STATE_CHANGED};
        return rc;
    }
    void add(const char* name)
    {
        SCARD_READERSTATE state{};
        state.szReader = name;
        state.dwCurrentState = SCARD_STATE_UNAWARE;
        states_.push_back(state);
    }
    static Reader reader(const std::string& name, const SCARD_READERSTATE& state)
    {
        Reader found{name,
                     CardState::absent,
                     {},
                     static_cast<unsigned>(state.dwEventState >> 16 & 0xFFFF)};
        if ((state.dwEventState & SCARD_STATE_PRESENT) == 0)
            return found;
        found.card = (state.dwEventState & SCARD_STATE_MUTE) != 0        ? CardState::mute
                     : (state.dwEventState & SCARD_STATE_EXCLUSIVE) != 0 ? CardState::exclusive
                                                                         : CardState::present;
        const auto size = std::min<std::size_t>(state.cbAtr, sizeof state.rgbAtr);
        found.atr.assign(state.rgbAtr, state.rgbAtr + size);
        return found;
    }

    std::vector<std::string> names_; // szReader points into it: never changed
    std::vector<SCARD_READERSTATE> states_;
};

Result<std::vector<std::string>> list_readers(SCARDCONTEXT context)
{
    std::array<char, max_readers*(MAX_READERNAME + 1) + 1> names{};
    auto size = static_cast<DWORD>(names.size());
    const auto rc = ::SCardListReaders(context, nullptr, names.data(), &size);
    std::vector<std::string> found;
    if (rc == SCARD_E_NO_READERS_AVAILABLE)
        return found;
    if (rc != SCARD_S_SUCCESS)
        return error_of(rc, "the readers cannot be listed");
    for (const char* at = names.data(); *at != 0 && found.size() < max_readers;
         at += found.back().size() + 1)
        found.emplace_back(at);
    return found;
}

} // namespace

struct Watcher::State {
    Snapshot look();
    Snapshot watch_service();
    void wait_for_socket();
    bool sleep(int fd, milliseconds at_most);

    UniqueContext context;
    std::optional<States> states;
    Snapshot last;
    std::size_t round = 0; // of `settling`

    UniqueFd wake;
    std::mutex mutex;
    std::condition_variable left;
    bool asleep = false; // in SCardGetStatusChange; under `mutex`
    std::atomic<bool> stopping = false;
};

/// Waits for the stop signal or, where it is not -1, for `fd`. False when stopped.
bool Watcher::State::sleep(int fd, milliseconds at_most)
{
    std::array<pollfd, 2> polled{{{wake.get(), POLLIN, 0}, {fd, POLLIN, 0}}};
    ::poll(polled.data(), polled.size(), static_cast<int>(at_most.count()));
    return !stopping;
}

void Watcher::State::wait_for_socket()
{
    const SocketWatch watch{service_socket()};
    for (int attempt = 0; attempt != listen_attempts; ++attempt) {
        if (auto made = establish()) {
            context = std::move(*made);
            return;
        }
        std::error_code ignored;
        if (!std::filesystem::exists(service_socket(), ignored))
            break;
        if (!sleep(-1, listen_poll))
            return;
    }
    sleep(watch.fd(), milliseconds{-1});
}

/// One look with what pcscd says now. On any failure the service counts as gone.
Snapshot Watcher::State::look()
{
    if (!context) {
        auto made = establish();
        if (!made)
            return {};
        context = std::move(*made);
    }
    const auto names = list_readers(context.get());
    if (names && (!states || states->names() != *names))
        states.emplace(*names);
    const auto rc = names ? states->look(context.get()) : names.error().native();
    if (rc == SCARD_S_SUCCESS || rc == SCARD_E_TIMEOUT)
        return {true, states->readers()};
    states.reset();
    if (rc == SCARD_E_UNKNOWN_READER) // gone since it was listed: the next look lists again
        return {true, {}};
    context.reset();
    return {};
}

Snapshot Watcher::State::watch_service()
{
    {
        const std::scoped_lock lock{mutex};
        if (stopping)
            return last;
        asleep = true;
    }
    const auto rc = states->wait(context.get(), settling[round]);
    {
        const std::scoped_lock lock{mutex};
        asleep = false;
    }
    left.notify_all();
    if (rc == SCARD_E_TIMEOUT)
        round = std::min(round + 1, settling.size() - 1);
    else
        round = 0;
    return rc == SCARD_E_CANCELLED ? last : look();
}

Watcher::Watcher() : state_{std::make_unique<State>()}
{
    state_->wake.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!state_->wake)
        throw Error{Errc::internal, "no event descriptor left", errno};
}

Watcher::~Watcher()
{
    stop();
}

Snapshot Watcher::now()
{
    state_->round = 0;
    return state_->last = state_->look();
}

Snapshot Watcher::wait()
{
    auto& state = *state_;
    while (!state.stopping) {
        if (!state.context)
            state.wait_for_socket();
        const auto seen = state.states && state.context ? state.watch_service() : state.look();
        if (seen != state.last)
            return state.last = seen;
    }
    return state.last;
}

void Watcher::stop() noexcept
{
    auto& state = *state_;
    std::unique_lock lock{state.mutex};
    state.stopping = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(state.wake.get(), &one, sizeof one);
    while (state.asleep) {
        ::SCardCancel(state.context.get());
        state.left.wait_for(lock, cancel_poll);
    }
}

bool Watcher::stopped() const noexcept
{
    return state_->stopping;
}

} // namespace cps::pcsc
