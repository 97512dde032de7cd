#pragma once

#include "journal_files.hpp"

#include "cps/base/clock.hpp"
#include "cps/base/unique_handle.hpp"
#include "cps/crypto/private_key.hpp"

#include <sys/types.h>
#include <time.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace cps::agent {

/// What the agent did and refused, for the person and for whoever must find out later. Each
/// line names the hash of the line before; head and number are signed and kept apart.
///
/// A line is on the disk (fdatasync) before `write` returns, and `write` is called before the
/// answer it tells of is given: no token leaves without its line. What a page can cause
/// without the person (`refused`) and what comes by the thousand (`feature_used`) is counted
/// in memory and written as sums; so much a crash may lose.
///
/// Thread-safe. Several agents of one person take turns by a lock on the files.
class Journal {
public:
    struct Limits {
        std::size_t file_size = 4 * 1024 * 1024; // octets; one older file besides
        std::chrono::seconds refusals{3600};     // one line an origin and code in this time
        std::size_t refused_origins = 8;         // told by name in that time; the rest as one
        std::chrono::seconds features{60};       // one line a session and feature in this time
    };

    /// Opens nothing yet. @param dir absolute, or empty: then every write fails.
    Journal(std::filesystem::path dir, const Clock& clock);
    Journal(std::filesystem::path dir, const Clock& clock, Limits limits);
    /// Writes the sums that are still in memory.
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// `written` is called after each line, under the journal's lock. Before the first line.
    void tell(std::function<void()> written) { written_ = std::move(written); }
    /// Whether the next line will find room; takes it from the file system, so that nobody is
    /// asked for a PIN in vain. Errors: internal with errno.
    Result<void> ready();
    /// Appends one line. After an error the journal is as it was. Errors: internal with errno.
    Result<void> write(const JournalEntry& entry);
    /// Refused without the person: a page may cause it as often as it likes. The first of an
    /// origin and code is written at once, the others as one sum an hour.
    void refused(std::string_view origin, std::string_view code) noexcept;
    /// One feature token of the session named `session` (for telling apart; not written).
    /// Summed up by the minute and at `flush`.
    void feature_used(const std::string& session, std::string_view origin,
                      std::string_view feature) noexcept;
    /// Writes the sums of feature tokens now: at a session's end.
    Result<void> flush() noexcept;
    /// The last events, oldest first, for the status page; empty where they cannot be read.
    std::vector<JournalLine> recent() noexcept;
    static constexpr std::size_t max_recent = 20; // events

private:
    struct Sum {
        JournalEntry entry;
        std::chrono::steady_clock::time_point since;
    };
    using Key = std::tuple<Event, std::string, std::string, std::string>;

    Result<void> append(const JournalEntry& entry);
    void open();
    void make_dir();
    void load_key();
    void take_key(crypto::PrivateKey key);
    bool is_as_we_left_it() const;
    void remember();
    void recover();
    void rotate();
    void put_line(const JournalEntry& entry);
    void write_head();
    void set_aside(const JournalFault& fault);
    enum class Sums { due, features_and_due, all };
    Result<void> write_sums(Sums which);

    const JournalFiles files_;
    const Clock& clock_;
    const Limits limits_;
    std::function<void()> written_;
    std::mutex mutex_;
    std::map<Key, Sum> sums_;

    UniqueFd lock_;
    UniqueFd file_;
    std::optional<crypto::PrivateKey> key_;
    std::string public_key_; ///< its SubjectPublicKeyInfo, base64url
    ino_t inode_ = 0;
    timespec changed_{}; ///< the file's last change, which was ours
    off_t size_ = 0;     ///< octets of whole lines
    std::uint64_t seq_ = 0;
    std::string hash_; ///< of the last line
    std::deque<JournalLine> recent_;
    void keep_recent(JournalLine line);
};

} // namespace cps::agent
