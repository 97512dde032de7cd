#include "cps/pcsc/card.hpp"

#include "cps/pcsc/connection.hpp"
#include "cps/pcsc/worker.hpp"

namespace cps::pcsc {
namespace {

constexpr std::chrono::milliseconds patience{2500}; // for another program's transaction
constexpr std::chrono::milliseconds deadline{3000}; // with pcscd's own waiting

Result<void> connect_and_reset(const std::string& reader)
{
    auto connection = Connection::open(reader);
    if (!connection)
        return connection.error();
    auto transaction = connection->begin(patience);
    if (!transaction)
        return transaction.error();
    return transaction->end(Leave::reset);
}

} // namespace

Result<void> reset_card(const std::string& reader)
{
    Worker worker;
    const auto outcome = worker.run(deadline, [reader] { return connect_and_reset(reader); });
    if (!outcome)
        return Error{Errc::card_in_use, "another program holds the card"};
    return *outcome;
}

} // namespace cps::pcsc
