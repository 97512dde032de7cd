#pragma once

#include <utility>

namespace cps {

/// Owns one native handle. `Traits` has `using type`, `static constexpr type empty` and
/// `static void close(type) noexcept`.
template <class Traits>
class UniqueHandle {
public:
    using type = typename Traits::type;

    UniqueHandle() noexcept = default;
    explicit UniqueHandle(type handle) noexcept : handle_{handle} {}
    UniqueHandle(UniqueHandle&& other) noexcept : handle_{other.release()} {}
    UniqueHandle& operator=(UniqueHandle&& other) noexcept
    {
        if (this != &other)
            reset(other.release());
        return *this;
    }
    ~UniqueHandle() { reset(); }

    type get() const noexcept { return handle_; }
    explicit operator bool() const noexcept { return handle_ != Traits::empty; }
    [[nodiscard]] type release() noexcept { return std::exchange(handle_, Traits::empty); }
    void reset(type handle = Traits::empty) noexcept
    {
        const auto old = std::exchange(handle_, handle);
        if (old != Traits::empty)
            Traits::close(old);
    }

private:
    type handle_ = Traits::empty;
};

struct FileTraits {
    using type = int;
    static constexpr type empty = -1;
    static void close(type fd) noexcept;
};
/// An owned POSIX file descriptor.
using UniqueFd = UniqueHandle<FileTraits>;

} // namespace cps
