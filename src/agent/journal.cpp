#include "journal.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/log.hpp"
#include "cps/base/secret.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace cps::agent {
namespace {

constexpr mode_t owner_only = S_IRUSR | S_IWUSR;
constexpr std::size_t max_sums = 256; // sessions' features and refusals; flushed beyond

[[noreturn]] void fail(Literal what)
{
    throw Error{Errc::internal, what, errno};
}

UniqueFd open_file(const std::filesystem::path& path, int flags)
{
    UniqueFd fd{::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, owner_only)};
    if (!fd)
        fail("a file of the journal cannot be opened");
    return fd;
}

/// All of it, or an exception.
void write_all(int fd, std::string_view text)
{
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            fail("the journal cannot be written");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void sync(int fd)
{
    if (::fdatasync(fd) != 0)
        fail("the journal cannot be brought to the disk");
}

void sync_dir(const std::filesystem::path& dir)
{
    const UniqueFd fd{::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd || ::fsync(fd.get()) != 0)
        fail("the journal's folder cannot be brought to the disk");
}

/// Written whole or not at all.
void replace_file(const std::filesystem::path& path, std::string_view text)
{
    auto temporary = path;
    temporary += ".new";
    {
        const auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
        write_all(fd.get(), text);
        sync(fd.get());
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0)
        fail("a file of the journal cannot be replaced");
}

void rename_if_there(const std::filesystem::path& from, const std::filesystem::path& to)
{
    if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT)
        fail("a file of the journal cannot be renamed");
}

/// The files are this process's alone while it lives.
class Hold {
public:
    explicit Hold(int fd) : fd_{fd}
    {
        while (::flock(fd_, LOCK_EX) != 0)
            if (errno != EINTR)
                fail("the journal cannot be locked");
    }
    ~Hold() { ::flock(fd_, LOCK_UN); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

private:
    int fd_;
};

} // namespace

Journal::Journal(std::filesystem::path dir, const Clock& clock)
    : Journal{std::move(dir), clock, Limits{}}
{
}

Journal::Journal(std::filesystem::path dir, const Clock& clock, Limits limits)
    : files_{std::move(dir)}, clock_{clock}, limits_{limits}
{
}

Journal::~Journal()
{
    try {
        (void)write_sums(Sums::all); // `append` has told what went wrong
    } catch (const std::exception&) {
        log::error("the journal's sums could not be written");
    }
}

void Journal::make_dir()
{
    if (files_.dir.empty())
        throw Error{Errc::internal,
                    "no folder for the journal: neither XDG_STATE_HOME nor HOME"};
    std::error_code ec;
    std::filesystem::create_directories(files_.dir.parent_path(), ec);
    if (::mkdir(files_.dir.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        fail("the journal's folder cannot be made");
    struct stat info {};
    if (::lstat(files_.dir.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) ||
        info.st_uid != ::geteuid())
        throw Error{Errc::internal, "the journal's folder is not ours"};
    if (::chmod(files_.dir.c_str(), S_IRWXU) != 0)
        fail("the journal's folder cannot be closed to others");
}

void Journal::open()
{
    if (!lock_) {
        make_dir();
        lock_ = open_file(files_.lock(), O_RDWR | O_CREAT);
    }
}

void Journal::load_key()
{
    const UniqueFd fd{::open(files_.key().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (fd) {
        Bytes der(1024); // octets: a P-256 key has 138
        const auto got = ::read(fd.get(), der.data(), der.size());
        der.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (const auto key = crypto::PrivateKey::from_der(der))
            return take_key(*key);
    } else if (errno != ENOENT) {
        fail("the journal's key cannot be read");
    }
    auto key = crypto::PrivateKey::generate_p256();
    auto der = key.to_der();
    replace_file(files_.key(), text_of(der));
    wipe(der);
    take_key(std::move(key));
}

/// The public key's text goes into every head, and takes OpenSSL longer than the signature.
void Journal::take_key(crypto::PrivateKey key)
{
    public_key_ = to_base64url(key.public_key().spki());
    key_ = std::move(key);
}

/// True while nobody else (another agent, an editor) touched the file since our last line.
bool Journal::is_as_we_left_it() const
{
    struct stat info {};
    return file_ && ::stat(files_.current().c_str(), &info) == 0 && info.st_ino == inode_ &&
           info.st_size == size_ && info.st_mtim.tv_sec == changed_.tv_sec &&
           info.st_mtim.tv_nsec == changed_.tv_nsec;
}

void Journal::remember()
{
    struct stat info {};
    if (::fstat(file_.get(), &info) != 0)
        fail("the journal cannot be looked at");
    inode_ = info.st_ino;
    changed_ = info.st_mtim;
}

/// Reads what is there, mends what a crash left, sets aside what does not hold together.
void Journal::recover()
{
    auto report = check_journal(files_);
    const auto fault = report.fault;
    if (fault) {
        set_aside(*fault);
        report = {};
    }
    load_key();
    file_ = open_file(files_.current(), O_WRONLY | O_CREAT | O_APPEND);
    if (::fchmod(file_.get(), owner_only) != 0)
        fail("the journal cannot be closed to others");
    size_ = static_cast<off_t>(report.current_size);
    if (::ftruncate(file_.get(), size_) != 0)
        fail("the journal cannot be mended");
    remember();
    sync_dir(files_.dir);
    seq_ = report.lines.empty() ? 0 : report.lines.back().seq;
    hash_ = report.last_hash;
    recent_.clear();
    const auto known = report.lines.size();
    for (auto i = known - std::min(known, max_recent); i != known; ++i)
        keep_recent(std::move(report.lines[i]));
    if (fault)
        put_line({Event::set_aside, {}, {}, "journal_broken", 1});
    if (report.torn != 0) {
        log::warning("the journal's last line was torn by a crash; it was dropped");
        put_line({Event::repaired, {}, {}, "torn_line", 1});
    }
}

void Journal::set_aside(const JournalFault& fault)
{
    log::error("the journal does not hold together and is set aside: " + fault.str());
    rename_if_there(files_.older(), files_.broken_older());
    rename_if_there(files_.current(), files_.broken());
    rename_if_there(files_.head(), files_.dir / "journal.broken.head");
}

void Journal::rotate()
{
    rename_if_there(files_.current(), files_.older());
    file_ = open_file(files_.current(), O_WRONLY | O_CREAT | O_APPEND);
    size_ = 0;
    remember();
    sync_dir(files_.dir);
}

void Journal::write_head()
{
    const JournalHead head{seq_, hash_, public_key_};
    const auto signature =
        key_->sign(crypto::SignatureAlgorithm::es256, octets(head.signed_text()));
    replace_file(files_.head(), head.to_text(signature));
}

void Journal::put_line(const JournalEntry& entry)
{
    JournalLine line{seq_ + 1, hash_, clock_.now(), entry};
    const auto text = to_text(line);
    if (text.size() > max_journal_line)
        throw Error{Errc::internal, "an event too long for the journal"};
    if (static_cast<std::size_t>(size_) + text.size() + 1 > limits_.file_size && size_ != 0)
        rotate();
    const auto before = std::tuple{size_, seq_, hash_};
    try {
        write_all(file_.get(), text + '\n');
        sync(file_.get());
        size_ += static_cast<off_t>(text.size() + 1);
        ++seq_;
        hash_ = chain_hash(text);
        remember();
        write_head();
        keep_recent(std::move(line));
    } catch (...) {
        std::tie(size_, seq_, hash_) = before;
        if (::ftruncate(file_.get(), size_) != 0)
            file_.reset(); // the next line reads anew what is there
        throw; // so it does in any case: the file's last change is not the one remembered
    }
}

Result<void> Journal::append(const JournalEntry& entry)
try {
    open();
    const Hold hold{lock_.get()};
    if (!is_as_we_left_it())
        recover();
    put_line(entry);
    if (written_)
        written_();
    return {};
} catch (const Error& e) {
    log::error(e);
    return e;
}

Result<void> Journal::ready()
try {
    const std::scoped_lock lock{mutex_};
    open();
    const Hold hold{lock_.get()};
    if (!is_as_we_left_it())
        recover();
    // Blocks beyond the end, which the file keeps: the line will find them. Not every file
    // system can.
    if (::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, size_,
                    static_cast<off_t>(2 * max_journal_line)) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS)
        fail("there is no room for the journal");
    remember();
    return {};
} catch (const Error& e) {
    log::error(e);
    return e;
}

Result<void> Journal::write(const JournalEntry& entry)
{
    const std::scoped_lock lock{mutex_};
    if (const auto written = write_sums(Sums::due); !written)
        return written.error();
    return append(entry);
}

/// Sums whose time is over, and those that are named. A sum stays when it cannot be written.
Result<void> Journal::write_sums(Sums which)
{
    const auto now = clock_.steady();
    for (auto one = sums_.begin(); one != sums_.end();) {
        auto& sum = one->second;
        const bool features = sum.entry.event == Event::features;
        const auto span = features ? limits_.features : limits_.refusals;
        const bool named = which == Sums::all || (features && which == Sums::features_and_due);
        if (!named && now - sum.since < span) {
            ++one;
            continue;
        }
        if (sum.entry.count != 0)
            if (const auto written = append(sum.entry); !written)
                return written.error();
        one = sums_.erase(one);
    }
    return {};
}

void Journal::refused(std::string_view origin, std::string_view code) noexcept
try {
    const std::scoped_lock lock{mutex_};
    (void)write_sums(Sums::due);
    Key key{Event::refused, "", origin, code};
    const auto named = std::ranges::count_if(
        sums_, [](const auto& one) { return one.second.entry.event == Event::refused; });
    if (!sums_.contains(key) && static_cast<std::size_t>(named) >= limits_.refused_origins)
        key = Key{Event::refused, "", "", "several"};
    const auto [at, added] = sums_.try_emplace(
        key, Sum{{Event::refused, std::get<2>(key), {}, std::get<3>(key), 0}, clock_.steady()});
    if (!added) {
        ++at->second.entry.count;
        return;
    }
    auto first = at->second.entry;
    first.count = 1;
    (void)append(first);
} catch (const std::exception&) {
    log::error("a refusal could not be written to the journal");
}

void Journal::feature_used(const std::string& session, std::string_view origin,
                           std::string_view feature) noexcept
try {
    const std::scoped_lock lock{mutex_};
    (void)write_sums(sums_.size() >= max_sums ? Sums::features_and_due : Sums::due);
    const Key key{Event::features, session, origin, feature};
    const auto [at, added] = sums_.try_emplace(
        key, Sum{{Event::features, std::string{origin}, {std::string{feature}}, "done", 0},
                 clock_.steady()});
    ++at->second.entry.count;
} catch (const std::exception&) {
    log::error("a feature token could not be counted for the journal");
}

void Journal::keep_recent(JournalLine line)
{
    if (recent_.size() == max_recent)
        recent_.pop_front();
    recent_.push_back(std::move(line));
}

std::vector<JournalLine> Journal::recent() noexcept
try {
    const std::scoped_lock lock{mutex_};
    open();
    const Hold hold{lock_.get()};
    if (!is_as_we_left_it())
        recover();
    return {recent_.begin(), recent_.end()};
} catch (const std::exception&) {
    return {};
}

Result<void> Journal::flush() noexcept
try {
    const std::scoped_lock lock{mutex_};
    return write_sums(Sums::features_and_due);
} catch (const std::exception&) {
    return Error{Errc::internal, "the journal's sums could not be written"};
}

} // namespace cps::agent
