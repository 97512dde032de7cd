#pragma once

#include <cstdint>

namespace cps::verify {

/// The anti-replay window of RFC 4303, 3.4.3, 32 wide, over `seq` 1, 2, 3 …: requests of one
/// page may overtake one another, and none passes twice.
class SequenceWindow {
public:
    static constexpr std::uint64_t width = 32;

    bool admits(std::uint64_t seq) const noexcept
    {
        if (seq > highest_)
            return true;
        const auto behind = highest_ - seq;
        return seq != 0 && behind < width && (seen_ >> behind & 1) == 0;
    }
    /// @param seq one that is admitted.
    void note(std::uint64_t seq) noexcept
    {
        if (seq > highest_) {
            const auto ahead = seq - highest_;
            seen_ = ahead < width ? seen_ << ahead | 1 : 1;
            highest_ = seq;
        } else {
            seen_ |= std::uint32_t{1} << (highest_ - seq);
        }
    }
    std::uint64_t highest() const noexcept { return highest_; }

private:
    std::uint64_t highest_ = 0;
    std::uint32_t seen_ = 0; // bit n: highest_ - n
};

} // namespace cps::verify
