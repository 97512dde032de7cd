#pragma once

#include "guard.hpp"
#include "session.hpp"

#include "cps/pcsc/watcher.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <vector>

namespace cps::p11 {

inline constexpr std::size_t max_sessions = 4096; // of one process: above any client's

/// All that lives between C_Initialize and C_Finalize. Any thread.
class Module {
public:
    Module(const Config& config, pcsc::Worker::Threads threads);
    /// Leaves every card unverified that was logged in to through us.
    ~Module();

    /// Looks at readers and cards. @param grow slots for new readers are made; else only the
    /// known ones are looked at, so that a list's length stays as it was told.
    void refresh(bool grow);
    std::vector<CK_SLOT_ID> slots(bool with_token);
    /// @throws Refusal SLOT_ID_INVALID.
    Slot& slot(CK_SLOT_ID id);

    /// The slot of an event. @throws Refusal NO_EVENT, or CRYPTOKI_NOT_INITIALIZED once
    /// `stop_waiting` was called.
    CK_SLOT_ID wait_for_event(bool block);
    void stop_waiting() noexcept;

    CK_SESSION_HANDLE open_session(Slot& slot, bool read_write);
    /// @throws Refusal SESSION_HANDLE_INVALID.
    std::shared_ptr<Session> session(CK_SESSION_HANDLE handle);
    void close_session(CK_SESSION_HANDLE handle);
    void close_all_sessions(Slot& slot);

    struct Count {
        CK_ULONG all = 0;
        CK_ULONG read_write = 0;
    };
    Count count_sessions(const Slot& slot);

private:
    CK_SLOT_ID take_event();

    const Config config_;
    const pcsc::Worker::Threads threads_;

    std::mutex watching_; // of `watcher_`
    pcsc::Watcher watcher_;
    std::mutex waiting_; // of `waiter_`
    pcsc::Watcher waiter_;

    std::mutex mutex_; // of the tables; nothing slow happens under it
    std::vector<std::unique_ptr<Slot>> slots_;
    std::map<CK_SESSION_HANDLE, std::shared_ptr<Session>> sessions_;
    CK_SESSION_HANDLE next_session_ = 1;
};

/// @throws Refusal CRYPTOKI_ALREADY_INITIALIZED.
void start_module(const Config& config, pcsc::Worker::Threads threads);
/// @throws Refusal CRYPTOKI_NOT_INITIALIZED.
void stop_module();

/// One call into the module, which stays alive until it ends.
class Call {
public:
    /// @throws Refusal CRYPTOKI_NOT_INITIALIZED, in a forked child too.
    Call();
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    Module* operator->() const noexcept { return module_; }

private:
    Module* module_;
};

/// A call on one session: holds its mutex.
class SessionCall {
public:
    /// @throws Refusal SESSION_HANDLE_INVALID, CRYPTOKI_NOT_INITIALIZED.
    explicit SessionCall(CK_SESSION_HANDLE handle)
        : session_{call_->session(handle)}, lock_{session_->mutex}
    {
    }
    Session* operator->() const noexcept { return session_.get(); }
    Session& operator*() const noexcept { return *session_; }
    Module& module() const noexcept { return *call_.operator->(); }

private:
    Call call_;
    std::shared_ptr<Session> session_;
    std::unique_lock<std::mutex> lock_;
};

} // namespace cps::p11
