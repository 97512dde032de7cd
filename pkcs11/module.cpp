#include "module.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace cps::p11 {
namespace {

constexpr std::size_t max_slots = 64; // the list never shrinks: readers come and go
constexpr std::chrono::milliseconds finalize_poll{2};
constexpr std::chrono::milliseconds finalize_deadline{20'000}; // above a card call's

// What a C interface without a context argument needs at least. Atomics alone, so that no
// lock is in an unknown state in a forked child, and no destructor, so that the host may
// unload us in any order.
constinit std::atomic<Module*> current = nullptr;
constinit std::atomic<pid_t> owner = 0;
constinit std::atomic<int> calls = 0;
constinit std::atomic<bool> changing = false; // C_Initialize or C_Finalize runs

bool ours() noexcept
{
    return owner == ::getpid();
}

class Changing {
public:
    Changing()
    {
        const auto deadline = std::chrono::steady_clock::now() + finalize_deadline;
        while (changing.exchange(true)) {
            if (std::chrono::steady_clock::now() > deadline)
                throw Refusal{CKR_FUNCTION_FAILED};
            std::this_thread::sleep_for(finalize_poll);
        }
    }
    ~Changing() { changing = false; }
    Changing(const Changing&) = delete;
    Changing& operator=(const Changing&) = delete;
};

/// In a forked child what the parent had is not touched: its sockets and threads are not ours.
void forget_parent() noexcept
{
    if (owner != 0 && !ours()) {
        owner = 0;
        current = nullptr;
        calls = 0;
        changing = false;
    }
}

} // namespace

Module::Module(const Config& config, pcsc::Worker::Threads threads)
    : config_{config}, threads_{threads}
{
    refresh(true);
    for (const auto& slot : slots_)
        slot->take_event(); // what was there from the start is no event
}

Module::~Module()
{
    sessions_.clear();
    for (const auto& slot : slots_) {
        try {
            const std::scoped_lock lock{slot->mutex};
            slot->leave();
        } catch (...) { // NOLINT: the card is gone, so is its login
        }
    }
}

void Module::refresh(bool grow)
{
    const std::scoped_lock watching{watching_};
    auto seen = watcher_.now();
    if (!seen.service) {
        const std::scoped_lock lock{mutex_};
        for (const auto& slot : slots_)
            slot->see(nullptr); // pcscd restarted or gone: no handle of before is good
        seen = watcher_.now();
    }
    const std::scoped_lock lock{mutex_};
    if (grow)
        for (const auto& reader : seen.readers)
            if (slots_.size() < max_slots &&
                std::ranges::none_of(
                    slots_, [&](const auto& slot) { return slot->reader() == reader.name; }))
                slots_.push_back(
                    std::make_unique<Slot>(slots_.size(), reader.name, config_, threads_));
    for (const auto& slot : slots_) {
        const auto reader =
            std::ranges::find(seen.readers, slot->reader(), &pcsc::Reader::name);
        slot->see(reader == seen.readers.end() ? nullptr : &*reader);
    }
}

std::vector<CK_SLOT_ID> Module::slots(bool with_token)
{
    const std::scoped_lock lock{mutex_};
    std::vector<CK_SLOT_ID> ids;
    for (const auto& slot : slots_)
        if (!with_token || slot->present())
            ids.push_back(slot->id());
    return ids;
}

Slot& Module::slot(CK_SLOT_ID id)
{
    const std::scoped_lock lock{mutex_};
    if (id >= slots_.size())
        throw Refusal{CKR_SLOT_ID_INVALID};
    return *slots_[id];
}

CK_SLOT_ID Module::take_event()
{
    const std::scoped_lock lock{mutex_};
    for (const auto& slot : slots_)
        if (slot->take_event())
            return slot->id();
    throw Refusal{CKR_NO_EVENT};
}

CK_SLOT_ID Module::wait_for_event(bool block)
{
    if (!block) {
        refresh(true);
        return take_event();
    }
    const std::scoped_lock waiting{waiting_};
    waiter_.now(); // what changes from here on ends the wait
    while (!waiter_.stopped()) {
        refresh(true);
        try {
            return take_event();
        } catch (const Refusal&) {
            waiter_.wait();
        }
    }
    throw Refusal{CKR_CRYPTOKI_NOT_INITIALIZED};
}

void Module::stop_waiting() noexcept
{
    waiter_.stop();
}

CK_SESSION_HANDLE Module::open_session(Slot& slot, bool read_write)
{
    const std::scoped_lock lock{mutex_};
    std::erase_if(sessions_, [](const auto& entry) {
        return entry.second->epoch != entry.second->slot.epoch();
    });
    if (sessions_.size() >= max_sessions)
        throw Refusal{CKR_SESSION_COUNT};
    const auto handle = next_session_++;
    sessions_.emplace(handle, std::make_shared<Session>(handle, slot, read_write));
    return handle;
}

std::shared_ptr<Session> Module::session(CK_SESSION_HANDLE handle)
{
    const std::scoped_lock lock{mutex_};
    const auto found = sessions_.find(handle);
    if (found == sessions_.end())
        throw Refusal{CKR_SESSION_HANDLE_INVALID};
    if (found->second->epoch != found->second->slot.epoch()) { // its card is gone
        sessions_.erase(found);
        throw Refusal{CKR_SESSION_HANDLE_INVALID};
    }
    return found->second;
}

Module::Count Module::count_sessions(const Slot& slot)
{
    const std::scoped_lock lock{mutex_};
    Count count;
    for (const auto& [handle, session] : sessions_)
        if (&session->slot == &slot && session->epoch == slot.epoch()) {
            ++count.all;
            count.read_write += session->read_write ? 1U : 0U;
        }
    return count;
}

void Module::close_session(CK_SESSION_HANDLE handle)
{
    auto& slot = session(handle)->slot;
    {
        const std::scoped_lock lock{mutex_};
        sessions_.erase(handle);
    }
    if (count_sessions(slot).all != 0)
        return;
    const std::scoped_lock lock{slot.mutex};
    slot.leave();
}

void Module::close_all_sessions(Slot& slot)
{
    {
        const std::scoped_lock lock{mutex_};
        std::erase_if(sessions_,
                      [&](const auto& entry) { return &entry.second->slot == &slot; });
    }
    const std::scoped_lock lock{slot.mutex};
    slot.leave();
}

void start_module(const Config& config, pcsc::Worker::Threads threads)
{
    forget_parent();
    const Changing changing_now;
    if (current != nullptr)
        throw Refusal{CKR_CRYPTOKI_ALREADY_INITIALIZED};
    auto module = std::make_unique<Module>(config, threads);
    owner = ::getpid();
    current = module.release();
}

void stop_module()
{
    forget_parent();
    const Changing changing_now;
    auto* const module = current.exchange(nullptr);
    if (module == nullptr)
        throw Refusal{CKR_CRYPTOKI_NOT_INITIALIZED};
    module->stop_waiting();
    // Calls on other threads end by their own deadlines; one that does not keeps the module.
    const auto deadline = std::chrono::steady_clock::now() + finalize_deadline;
    while (calls != 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(finalize_poll);
    if (calls == 0)
        delete module;
}

Call::Call()
{
    ++calls;
    module_ = ours() ? current.load() : nullptr;
    if (module_ != nullptr)
        return;
    --calls;
    throw Refusal{CKR_CRYPTOKI_NOT_INITIALIZED};
}

Call::~Call()
{
    --calls;
}

} // namespace cps::p11
