#include "cps/base/secret.hpp"

#include "cps/base/error.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace cps {

void wipe(std::span<std::uint8_t> bytes) noexcept
{
    if (!bytes.empty())
        ::explicit_bzero(bytes.data(), bytes.size());
}

void wipe(std::span<char> bytes) noexcept
{
    if (!bytes.empty())
        ::explicit_bzero(bytes.data(), bytes.size());
}

LockedPage::LockedPage() : size_{static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))}
{
    void* const page =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        throw Error{Errc::internal, "no page of memory for a secret", errno};
    if (::mlock(page, size_) != 0 || ::madvise(page, size_, MADV_DONTDUMP) != 0 ||
        ::madvise(page, size_, MADV_WIPEONFORK) != 0) {
        const auto reason = errno;
        ::munmap(page, size_);
        throw Error{Errc::internal, "memory for a secret cannot be locked", reason};
    }
    data_ = static_cast<std::uint8_t*>(page);
}

LockedPage::LockedPage(LockedPage&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)}
{
}

LockedPage& LockedPage::operator=(LockedPage&& other) noexcept
{
    if (this != &other) {
        release();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

LockedPage::~LockedPage()
{
    release();
}

void LockedPage::release() noexcept
{
    if (data_ == nullptr)
        return;
    wipe(bytes());
    ::munmap(data_, size_);
    data_ = nullptr;
}

Pin::Pin(Pin&& other) noexcept
    : page_{std::move(other.page_)}, size_{std::exchange(other.size_, 0)}
{
}

Pin& Pin::operator=(Pin&& other) noexcept
{
    page_ = std::move(other.page_);
    size_ = std::exchange(other.size_, 0);
    return *this;
}

void Pin::set_size(std::size_t size)
{
    if (size > max_size)
        throw Error{Errc::bad_argument, "a PIN cannot be that long"};
    size_ = size;
}

void Pin::clear() noexcept
{
    wipe(page_.bytes());
    size_ = 0;
}

void forbid_dumps() noexcept
{
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
}

} // namespace cps
