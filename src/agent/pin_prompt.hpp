#pragma once

#include "cancel.hpp"

#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace cps::agent {

/// What a dialog says. All texts are UTF-8 and already made safe (`for_display`).
struct Dialog {
    std::string title;
    std::string description;
    std::string prompt; ///< beside the entry field; unused by `confirm`
    std::string error;  ///< shown in red; empty: none
    std::string ok;
    std::string cancel;
};

/// A window that stays while the person does something elsewhere, such as typing on the
/// reader's own keypad. Closes with the object.
class Notice {
public:
    Notice() = default;
    virtual ~Notice() = default;
    Notice(const Notice&) = delete;
    Notice& operator=(const Notice&) = delete;
};

/// Asks the person in front of the machine. Implemented by Pinentry, and by scripted
/// answers in tests. Blocking; one dialog at a time.
class PinPrompt {
public:
    using Deadline = std::chrono::steady_clock::time_point;
    virtual ~PinPrompt() = default;
    /// Errors: pin_cancelled, pin_timeout, cancelled (by `cancel`), internal (no dialog).
    virtual Result<Pin> ask_pin(const Dialog& dialog, const Cancel& cancel, Deadline until) = 0;
    /// Errors: consent_refused, pin_timeout, cancelled, internal.
    virtual Result<void> confirm(const Dialog& dialog, const Cancel& cancel,
                                 Deadline until) = 0;
    /// Opens a window with `dialog.ok` as its only button, and returns. When the person presses
    /// it or closes the window, `cancel` is signalled with consent_refused; at the deadline
    /// with pin_timeout; with internal where the window goes by itself. `cancel` outlives the
    /// notice. Errors: cancelled, pin_timeout, internal (no window).
    virtual Result<std::unique_ptr<Notice>> show(const Dialog& dialog, Cancel& cancel,
                                                 Deadline until) = 0;
};

} // namespace cps::agent
