#include "journal_files.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/private_key.hpp"

#include <fstream>
#include <iterator>
#include <utility>

namespace cps::agent {
namespace {

/// Empty where there is no such file. @throws Error too_large, internal.
std::optional<std::string> read_file(const std::filesystem::path& path)
{
    std::error_code ec;
    const auto size = std::filesystem::file_size(path, ec);
    if (ec == std::errc::no_such_file_or_directory)
        return std::nullopt;
    if (ec)
        throw Error{Errc::internal, "cannot be read", ec.value()};
    if (size > max_journal_file)
        throw Error{Errc::too_large, "is larger than the agent ever lets it grow"};
    std::ifstream in{path, std::ios::binary};
    if (!in)
        throw Error{Errc::internal, "cannot be opened"};
    return std::string{std::istreambuf_iterator<char>{in}, {}};
}

class Check {
public:
    explicit Check(const JournalFiles& files) : files_{files} {}

    JournalReport run()
    {
        file_ = files_.older();
        const auto older = read_file(file_);
        if (older) {
            take_lines(*older);
            if (report_.torn != 0 && !report_.fault)
                blame("the last line has no end");
        }
        if (report_.fault)
            return std::move(report_);
        report_.current_size = 0;
        file_ = files_.current();
        const auto current = read_file(file_);
        if (current)
            take_lines(*current);
        if (!report_.fault)
            check_head();
        return std::move(report_);
    }

    JournalReport blamed(const Error& error)
    {
        line_ = 0;
        blame(error.what());
        return std::move(report_);
    }

private:
    void blame(std::string reason)
    {
        report_.fault = JournalFault{file_.string(), line_, std::move(reason)};
    }

    void take_lines(std::string_view text)
    {
        line_ = 0;
        while (!text.empty()) {
            ++line_;
            const auto end = text.find('\n');
            if (end == std::string_view::npos) {
                report_.torn = text.size();
                return;
            }
            if (!take_line(text.substr(0, end)))
                return;
            report_.current_size += end + 1;
            text.remove_prefix(end + 1);
        }
    }

    bool take_line(std::string_view text)
    {
        const auto line = parse_journal_line(text);
        if (!line) {
            blame(line.error().what());
            return false;
        }
        const bool first_of_all = report_.lines.empty();
        if (first_of_all && file_ == files_.current() && line->seq != 1) {
            blame("the lines before it are missing");
            return false;
        }
        // What the oldest file followed is gone by design: its first `prev` is not checked.
        const bool known = !first_of_all || line->seq == 1;
        if (!first_of_all && line->seq != report_.lines.back().seq + 1) {
            blame("lines are missing before it, or it is in the wrong place");
            return false;
        }
        if (known && line->prev != report_.last_hash) {
            blame(first_of_all ? "does not begin a journal"
                               : "the line before it was changed, or this one was");
            return false;
        }
        hash_before_last_ = std::exchange(report_.last_hash, chain_hash(text));
        report_.lines.push_back(*line);
        return true;
    }

    void check_head()
    {
        const auto last = report_.lines.empty() ? 0 : report_.lines.back().seq;
        line_ = 0;
        file_ = files_.key();
        const auto key_text = read_file(file_);
        if (!key_text) {
            // A first line that was written and never signed for: a crash.
            if (last > 1)
                blame("the key is missing");
            return;
        }
        const auto key = crypto::PrivateKey::from_der(octets(*key_text));
        if (!key)
            return blame("is not a key");
        file_ = files_.head();
        const auto text = read_file(file_);
        if (!text) {
            if (last > 1)
                blame("the head is missing");
            return;
        }
        const auto head = JournalHead::parse(*text, key->public_key());
        if (!head)
            return blame(head.error().what());
        file_ = files_.current();
        if (head->seq == last && head->hash == report_.last_hash)
            report_.head = *head;
        else if (head->seq + 1 == last && head->hash == hash_before_last_)
            report_.head = *head; // the crash came between the line and the head
        else if (head->seq > last)
            blame("the end is cut off: " + std::to_string(head->seq - last) +
                  " line(s) are missing");
        else
            blame("its end is not the one that was signed");
    }

    const JournalFiles& files_;
    std::filesystem::path file_;
    std::size_t line_ = 0;
    std::string hash_before_last_;
    JournalReport report_;
};

} // namespace

std::string JournalFault::str() const
{
    return file + ':' + std::to_string(line) + ": " + reason;
}

JournalReport check_journal(const JournalFiles& files)
{
    Check check{files};
    try {
        return check.run();
    } catch (const Error& e) {
        return check.blamed(e);
    }
}

} // namespace cps::agent
