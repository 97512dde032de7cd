#pragma once

#include "vcard/pins.hpp"

#include <filesystem>
#include <optional>

namespace cps::vcard {

/// The chip's non-volatile memory between two runs: counters and codes, since a changed PIN
/// stays changed. The file is for its owner's eyes alone (mode 0600).
class StateFile {
public:
    /// Keeps nothing.
    StateFile() = default;
    explicit StateFile(std::filesystem::path path) : path_{std::move(path)} {}

    /// Empty when there is no file yet. @throws Error malformed_input for a file that is wrong.
    std::optional<PinState> load() const;
    /// Replaces the file in one step. @throws Error internal when that fails.
    void save(const PinState& state) const;

private:
    std::filesystem::path path_;
};

} // namespace cps::vcard
