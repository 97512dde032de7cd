#pragma once

#include "assuan.hpp"
#include "pin_prompt.hpp"

#include <string>

namespace cps::agent {

/// The desktop's pinentry program (`pinentry_program`), started anew for each dialog.
class Pinentry final : public PinPrompt {
public:
    explicit Pinentry(std::string program) : program_{std::move(program)} {}
    Result<Pin> ask_pin(const Dialog& dialog, const Cancel& cancel, Deadline until) override;
    Result<void> confirm(const Dialog& dialog, const Cancel& cancel, Deadline until) override;
    Result<std::unique_ptr<Notice>> show(const Dialog& dialog, Cancel& cancel,
                                         Deadline until) override;

private:
    class Window;
    static Result<void> prepare(Assuan& assuan, const Dialog& dialog, Deadline until);
    std::string program_;
};

} // namespace cps::agent
