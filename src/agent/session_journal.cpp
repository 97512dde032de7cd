#include "session_journal.hpp"

#include "cps/base/log.hpp"

namespace cps::agent {

SessionJournal::SessionJournal(Journal& journal) : journal_{journal}, thread_{[this] { run(); }}
{
}

SessionJournal::~SessionJournal()
{
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        wake_.notify_all();
    }
    thread_.join();
}

void SessionJournal::session_ended(const SessionNews& news, SessionEnd reason)
try {
    const std::scoped_lock lock{mutex_};
    if (waiting_.size() == max_waiting)
        return log::error("the end of a session could not be written to the journal");
    waiting_.push_back(
        {Event::session_end, news.origin.str(), {}, std::string{name_of(reason)}, 1});
    wake_.notify_all();
} catch (const std::exception&) {
    log::error("the end of a session could not be written to the journal");
}

void SessionJournal::run()
{
    std::unique_lock lock{mutex_};
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty())
            return;
        const auto entry = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        (void)journal_.flush(); // both tell their errors themselves
        (void)journal_.write(entry);
        lock.lock();
    }
}

} // namespace cps::agent
