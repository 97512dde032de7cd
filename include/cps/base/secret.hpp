#pragma once

#include "cps/base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace cps {

/// Overwrites `bytes` in a way that no optimiser drops.
void wipe(std::span<std::uint8_t> bytes) noexcept;
void wipe(std::span<char> bytes) noexcept;

/// One page of memory that is never swapped, never in a core dump and empty in a forked
/// child; wiped when it goes. Owns its page; movable, not copyable.
class LockedPage {
public:
    /// @throws Error internal when the page cannot be had or locked (RLIMIT_MEMLOCK).
    LockedPage();
    LockedPage(LockedPage&& other) noexcept;
    LockedPage& operator=(LockedPage&& other) noexcept;
    ~LockedPage();
    std::span<std::uint8_t> bytes() noexcept { return {data_, size_}; }
    ByteView bytes() const noexcept { return {data_, size_}; }

private:
    void release() noexcept;
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

/// A code porteur (PIN) or a PUK, in a LockedPage. Cannot be copied, printed or turned into
/// a string; moving it leaves the source empty.
class Pin {
public:
    static constexpr std::size_t max_size =
        64; // octets: above any card's, below pinentry's line

    Pin() = default;
    Pin(Pin&& other) noexcept;
    Pin& operator=(Pin&& other) noexcept;
    ~Pin() { clear(); }

    /// Room to write into; call `set_size` afterwards. Always max_size octets.
    std::span<std::uint8_t> buffer() noexcept { return page_.bytes().first(max_size); }
    /// @throws Error bad_argument above max_size.
    void set_size(std::size_t size);
    ByteView bytes() const noexcept { return page_.bytes().first(size_); }
    bool empty() const noexcept { return size_ == 0; }
    /// Wipes the octets.
    void clear() noexcept;

private:
    LockedPage page_;
    std::size_t size_ = 0;
};

/// For the whole process: no core dump, no ptrace by other processes of this user
/// (PR_SET_DUMPABLE 0, RLIMIT_CORE 0). Call it first in `main` of whatever touches a PIN.
void forbid_dumps() noexcept;

} // namespace cps
