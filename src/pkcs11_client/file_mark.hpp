#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <tuple>

namespace cps::pkcs11 {

/// Which file lies at a path: another one, or other contents, make another mark.
class FileMark {
public:
    static FileMark of(const std::string& path) noexcept
    {
        struct stat about {};
        FileMark mark;
        if (::stat(path.c_str(), &about) == 0)
            mark.seen_ = {about.st_dev, about.st_ino, about.st_size, about.st_mtim.tv_sec,
                          about.st_mtim.tv_nsec};
        return mark;
    }
    friend bool operator==(const FileMark&, const FileMark&) = default;

private:
    std::tuple<dev_t, ino_t, off_t, time_t, long> seen_{};
};

} // namespace cps::pkcs11
