#include "support/fake_pcsc.hpp"

#include <winscard.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>

namespace cps::test {

struct FakePcsc::State {
    explicit State(FakePcsc& its_fake) : fake{its_fake} {}
    FakePcsc& fake;
    struct Slot {
        FakeReader reader;
        unsigned insertion = 1;
        unsigned resets = 0;
        DWORD protocol = SCARD_PROTOCOL_UNDEFINED; // negotiated since the last reset
        SCARDHANDLE holder = 0;
    };
    struct Handle {
        std::string reader;
        unsigned insertion;
        unsigned resets;
    };
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, Slot> slots;
    std::map<SCARDHANDLE, Handle> handles;
    std::set<SCARDCONTEXT> contexts;
    std::set<SCARDCONTEXT> cancelled;
    long next = 1;
    int strays = 0;
    std::function<void(std::string_view)> meanwhile;

    /// The reader behind a handle, or why there is none.
    LONG find(SCARDHANDLE card, Slot*& slot)
    {
        const auto handle = handles.find(card);
        if (handle == handles.end()) {
            ++strays;
            return SCARD_E_INVALID_HANDLE;
        }
        slot = &slots.at(handle->second.reader);
        if (slot->holder != 0 && slot->holder != card)
            return SCARD_E_SHARING_VIOLATION;
        if (!slot->reader.card || slot->insertion != handle->second.insertion)
            return SCARD_W_REMOVED_CARD;
        return slot->resets != handle->second.resets ? SCARD_W_RESET_CARD : SCARD_S_SUCCESS;
    }
    void reset(Slot& slot)
    {
        slot.reader.reset();
        slot.protocol = SCARD_PROTOCOL_UNDEFINED;
        ++slot.resets;
    }
};

namespace {

std::atomic<FakePcsc::State*> served = nullptr; // the C functions have no other way to it

} // namespace

/// One call of an SCard function, alone with the state; then what others do meanwhile.
class FakeCall {
public:
    explicit FakeCall(std::string_view function) : state_{served}, function_{function}
    {
        if (state_ != nullptr)
            lock = std::unique_lock{state_->mutex};
    }
    ~FakeCall()
    {
        if (state_ == nullptr)
            return;
        const auto meanwhile = state_->meanwhile;
        lock.unlock();
        if (meanwhile)
            meanwhile(function_);
    }
    FakeCall(const FakeCall&) = delete;
    FakeCall& operator=(const FakeCall&) = delete;
    explicit operator bool() const noexcept { return state_ != nullptr; }
    FakePcsc::State* operator->() const noexcept { return state_; }

    std::unique_lock<std::mutex> lock;

private:
    FakePcsc::State* state_;
    std::string_view function_;
};

FakePcsc::FakePcsc() : state_{new State{*this}}
{
    served = state_;
}

FakePcsc::~FakePcsc()
{
    served = nullptr;
    delete state_;
}

void FakePcsc::add(const std::string& name, FakeReader reader)
{
    const std::scoped_lock lock{state_->mutex};
    state_->slots[name].reader = std::move(reader);
    state_->changed.notify_all();
}

void FakePcsc::pull(const std::string& name, Pull pull)
{
    const std::scoped_lock lock{state_->mutex};
    state_->slots[name].reader.card = false;
    state_->slots[name].reader.reset();
    state_->slots[name].protocol = SCARD_PROTOCOL_UNDEFINED;
    if (pull == Pull::clean)
        state_->slots[name].holder = 0;
    ++state_->slots[name].insertion;
    state_->changed.notify_all();
}

void FakePcsc::insert(const std::string& name)
{
    const std::scoped_lock lock{state_->mutex};
    state_->slots[name].reader.card = true;
    ++state_->slots[name].insertion;
    state_->changed.notify_all();
}

void FakePcsc::reset(const std::string& name, Reset reset)
{
    const std::scoped_lock lock{state_->mutex};
    auto& slot = state_->slots.at(name);
    state_->reset(slot);
    if (reset == Reset::untold)
        --slot.resets;
}

void FakePcsc::set_meanwhile(std::function<void(std::string_view)> meanwhile)
{
    const std::scoped_lock lock{state_->mutex};
    state_->meanwhile = std::move(meanwhile);
}

int FakePcsc::strays() const
{
    const std::scoped_lock lock{state_->mutex};
    return state_->strays;
}

int FakePcsc::transactions() const
{
    const std::scoped_lock lock{state_->mutex};
    return static_cast<int>(std::ranges::count_if(
        state_->slots, [](const auto& slot) { return slot.second.holder != 0; }));
}

int FakePcsc::open_handles() const
{
    const std::scoped_lock lock{state_->mutex};
    return static_cast<int>(state_->handles.size() + state_->contexts.size());
}

} // namespace cps::test

using cps::test::FakeCall;

extern "C" {

const SCARD_IO_REQUEST g_rgSCardT0Pci = {SCARD_PROTOCOL_T0, sizeof(SCARD_IO_REQUEST)};
const SCARD_IO_REQUEST g_rgSCardT1Pci = {SCARD_PROTOCOL_T1, sizeof(SCARD_IO_REQUEST)};

LONG SCardEstablishContext(DWORD, LPCVOID, LPCVOID, LPSCARDCONTEXT context)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    *context = at->next++;
    at->contexts.insert(*context);
    return SCARD_S_SUCCESS;
}

LONG SCardReleaseContext(SCARDCONTEXT context)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    at->contexts.erase(context);
    return SCARD_S_SUCCESS;
}

LONG SCardListReaders(SCARDCONTEXT, LPCSTR, LPSTR readers, LPDWORD size)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    if (at->slots.empty())
        return SCARD_E_NO_READERS_AVAILABLE;
    std::string list;
    for (const auto& [name, slot] : at->slots)
        list += name + '\0';
    list += '\0';
    if (list.size() > *size)
        return SCARD_E_INSUFFICIENT_BUFFER;
    std::memcpy(readers, list.data(), list.size());
    *size = list.size();
    return SCARD_S_SUCCESS;
}

LONG SCardGetStatusChange(SCARDCONTEXT context, DWORD timeout, SCARD_READERSTATE* states,
                          DWORD count)
{
    FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    const auto known = at->slots.size();
    const auto refresh = [&] {
        bool differs = at->slots.size() != known;
        for (DWORD i = 0; i != count; ++i) {
            const auto slot = at->slots.find(states[i].szReader);
            if (slot == at->slots.end()) {
                states[i].dwEventState = 0;
                continue;
            }
            const auto& reader = slot->second.reader;
            const DWORD now = (reader.card ? SCARD_STATE_PRESENT : SCARD_STATE_EMPTY) |
                              static_cast<DWORD>(slot->second.insertion) << 16;
            const bool changed = now != states[i].dwCurrentState;
            states[i].dwEventState = now | (changed ? SCARD_STATE_CHANGED : 0U);
            states[i].cbAtr = reader.card ? reader.atr.size() : 0;
            std::copy(reader.atr.begin(), reader.atr.end(), states[i].rgbAtr);
            differs = differs || changed;
        }
        return differs;
    };
    const auto done = [&] { return at->cancelled.erase(context) != 0 || refresh(); };
    if (timeout == INFINITE)
        at->changed.wait(at.lock, done);
    const bool vain = timeout != INFINITE &&
                      !at->changed.wait_for(at.lock, std::chrono::milliseconds{timeout}, done);
    at->fake.vain_looks += vain ? 1 : 0;
    return vain ? SCARD_E_TIMEOUT : SCARD_S_SUCCESS;
}

LONG SCardCancel(SCARDCONTEXT context)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    at->cancelled.insert(context);
    at->changed.notify_all();
    return SCARD_S_SUCCESS;
}

LONG SCardConnect(SCARDCONTEXT, LPCSTR reader, DWORD, DWORD, LPSCARDHANDLE card,
                  LPDWORD protocol)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    const auto slot = at->slots.find(reader);
    if (slot == at->slots.end())
        return SCARD_E_UNKNOWN_READER;
    if (!slot->second.reader.card)
        return SCARD_E_NO_SMARTCARD;
    *card = at->next++;
    *protocol = slot->second.protocol = SCARD_PROTOCOL_T0;
    at->handles[*card] = {reader, slot->second.insertion, slot->second.resets};
    return SCARD_S_SUCCESS;
}

LONG SCardReconnect(SCARDHANDLE card, DWORD, DWORD, DWORD, LPDWORD protocol)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    cps::test::FakePcsc::State::Slot* slot = nullptr;
    const auto rc = at->find(card, slot);
    if (rc != SCARD_S_SUCCESS && rc != SCARD_W_RESET_CARD)
        return rc;
    at->handles[card].resets = slot->resets;
    *protocol = slot->protocol = SCARD_PROTOCOL_T0;
    return SCARD_S_SUCCESS;
}

LONG SCardDisconnect(SCARDHANDLE card, DWORD)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    for (auto& [name, slot] : at->slots)
        if (slot.holder == card)
            slot.holder = 0;
    at->handles.erase(card);
    return SCARD_S_SUCCESS;
}

LONG SCardStatus(SCARDHANDLE card, LPSTR, LPDWORD, LPDWORD, LPDWORD protocol, LPBYTE atr,
                 LPDWORD size)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    cps::test::FakePcsc::State::Slot* slot = nullptr;
    if (const auto rc = at->find(card, slot);
        rc != SCARD_S_SUCCESS && rc != SCARD_E_SHARING_VIOLATION)
        return rc;
    *protocol = slot->protocol;
    std::copy(slot->reader.atr.begin(), slot->reader.atr.end(), atr);
    *size = slot->reader.atr.size();
    return SCARD_S_SUCCESS;
}

LONG SCardGetAttrib(SCARDHANDLE card, DWORD, LPBYTE, LPDWORD)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    cps::test::FakePcsc::State::Slot* slot = nullptr;
    return at->find(card, slot);
}

LONG SCardBeginTransaction(SCARDHANDLE card)
{
    FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    cps::test::FakePcsc::State::Slot* slot = nullptr;
    LONG rc = SCARD_S_SUCCESS;
    at->changed.wait(at.lock,
                     [&] { return (rc = at->find(card, slot)) != SCARD_E_SHARING_VIOLATION; });
    if (rc == SCARD_S_SUCCESS)
        slot->holder = card;
    return rc;
}

LONG SCardEndTransaction(SCARDHANDLE card, DWORD disposition)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    cps::test::FakePcsc::State::Slot* slot = nullptr;
    if (const auto rc = at->find(card, slot); rc != SCARD_S_SUCCESS)
        return rc;
    if (const auto failure = at->fake.next_end_fails.exchange(SCARD_S_SUCCESS))
        return failure;
    if (disposition == SCARD_RESET_CARD)
        at->reset(*slot);
    slot->holder = 0;
    at->changed.notify_all();
    return SCARD_S_SUCCESS;
}

LONG SCardTransmit(SCARDHANDLE card, const SCARD_IO_REQUEST* pci, LPCBYTE command, DWORD size,
                   SCARD_IO_REQUEST*, LPBYTE answer, LPDWORD answer_size)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    cps::test::FakePcsc::State::Slot* slot = nullptr;
    if (const auto rc = at->find(card, slot); rc != SCARD_S_SUCCESS)
        return rc;
    if (pci->dwProtocol != slot->protocol)
        return SCARD_E_PROTO_MISMATCH;
    const auto bytes = slot->reader.answer({command, size});
    if (bytes.empty())
        return SCARD_E_NOT_TRANSACTED;
    if (bytes.size() > *answer_size)
        return SCARD_E_INSUFFICIENT_BUFFER;
    std::copy(bytes.begin(), bytes.end(), answer);
    *answer_size = bytes.size();
    return SCARD_S_SUCCESS;
}

LONG SCardControl(SCARDHANDLE card, DWORD code, LPCVOID input, DWORD input_size, LPVOID output,
                  DWORD output_size, LPDWORD returned)
{
    const FakeCall at{__func__};
    if (!at)
        return SCARD_E_NO_SERVICE;
    cps::test::FakePcsc::State::Slot* slot = nullptr;
    if (const auto rc = at->find(card, slot); rc != SCARD_S_SUCCESS)
        return rc;
    if (!slot->reader.control)
        return SCARD_E_UNSUPPORTED_FEATURE;
    const auto bytes =
        slot->reader.control(static_cast<std::uint32_t>(code),
                             {static_cast<const std::uint8_t*>(input), input_size});
    if (bytes.size() > output_size)
        return SCARD_E_INSUFFICIENT_BUFFER;
    std::copy(bytes.begin(), bytes.end(), static_cast<std::uint8_t*>(output));
    *returned = bytes.size();
    return SCARD_S_SUCCESS;
}

} // extern "C"
