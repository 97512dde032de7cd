#pragma once

#include "cps/base/bytes.hpp"
#include "cps/card/contents.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace cps::p11 {

/// Public files of a card, as they were read, kept between processes: one file a card, named
/// after its serial number and last update, 0600 in a directory of ours, 0700. A file of
/// another owner, mode or form counts as none; so does one older than 30 days. What it says
/// is not believed: a signature is checked against the certificate before it is handed out.
class CardCache {
public:
    using Files = std::map<card::Path, Bytes>;

    /// @param directory empty: nothing is ever found or kept.
    CardCache(std::filesystem::path directory, std::string_view serial,
              std::string_view last_update);

    std::optional<Files> load() const noexcept;
    /// Replaces what there was, at once. Failure is no error: the card can be read again.
    void store(const Files& files) const noexcept;
    void drop() const noexcept;

private:
    std::filesystem::path directory_;
    std::filesystem::path file_;
};

} // namespace cps::p11
