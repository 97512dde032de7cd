#include "card_access.hpp"

#include "cryptoki.hpp"

#include "cps/base/error.hpp"
#include "cps/card/pkcs15.hpp"

namespace cps::p11 {
namespace {

// For another program's transaction: longer than the 5 s after which an idle login of another
// process of ours lets go.
constexpr std::chrono::milliseconds patience{7000};
// The same where only a look at the card waits: no program is kept from its end for long.
constexpr std::chrono::milliseconds patience_at_the_end{1000};

pcsc::PadFormat pad_format(const card::PinFormat& format)
{
    const auto octet = [](std::size_t size) { return static_cast<std::uint8_t>(size); };
    return {octet(format.min_size), octet(format.max_size), octet(format.stored_size),
            format.padding};
}

} // namespace

bool is_gone(Errc code) noexcept
{
    return code == Errc::card_removed || code == Errc::no_card || code == Errc::no_reader ||
           code == Errc::no_service;
}

std::unique_ptr<card::Card> driver_for(pcsc::Family family)
{
    switch (family) {
    case pcsc::Family::cps3: return card::driver_for(card::Generation::cps3);
    case pcsc::Family::cps3_contactless:
        return card::driver_for(card::Generation::cps3_contactless);
    case pcsc::Family::cps4: return card::driver_for(card::Generation::cps4);
    case pcsc::Family::unknown: break;
    }
    return nullptr;
}

CardAccess::CardAccess(std::string reader, const Config& config)
    : reader_{std::move(reader)}, config_{config}
{
}

void CardAccess::drop() noexcept
{
    held_.reset();
    connection_.reset();
    driver_.reset();
    pad_.reset();
    holds_ = false;
    login_ = Login::none;
}

/// After an error: is there still a card that we are connected to?
void CardAccess::note(const Error& e) noexcept
{
    switch (e.code()) {
    case Errc::card_removed:
    case Errc::card_mute:
    case Errc::no_card:
    case Errc::no_reader:
    case Errc::no_service:
    case Errc::card_unsupported: // others may want it alone
    case Errc::internal: drop(); break;
    case Errc::card_in_use: // where we held it: reset under us
        if (held_)
            log_out();
        break;
    default: // the connection is good; what failed was one command
        if (e.native() == apdu::sw::not_allowed.raw())
            log_out();
    }
}

/// pcscd waits in here, without a deadline, for another program's transaction.
void CardAccess::connect()
{
    if (connection_)
        return;
    connecting_ = true;
    auto opened = pcsc::Connection::open(reader_);
    connecting_ = false;
    if (!opened)
        throw opened.error();
    connection_.emplace(std::move(*opened));
}

/// In a transaction: what is told of a card outside one may be of the middle of a reset.
void CardAccess::recognise()
{
    family_ = pcsc::family_of(connection_->atr());
    driver_ = driver_for(family_);
    if (!driver_)
        throw Error{Errc::card_unsupported, "the card's answer to reset is not known"};
    pad_ = driver_->has_pin() ? pcsc::PinPad::of(*connection_, reader_) : std::nullopt;
}

pcsc::Transaction CardAccess::begin(std::chrono::milliseconds at_most)
{
    auto begun = connection_->begin(at_most);
    if (!begun)
        throw begun.error();
    if (!driver_)
        recognise();
    driver_->begin();
    if (begun->follows_reset())
        login_ = Login::none;
    return std::move(*begun);
}

template <class Use>
auto CardAccess::with_card(Use use)
{
    used_ = true;
    try {
        if (held_)
            return use(*held_);
        connect();
        auto transaction = begin(patience);
        auto answer = use(transaction);
        // pcscd would keep the card for a handle that is dead.
        if (!transaction.end(pcsc::Leave::as_is))
            drop();
        return answer;
    } catch (const Error& e) { // no transaction is open any more but `held_`
        note(e);
        throw;
    }
}

void CardAccess::require(Login login) const
{
    if (login_ != login)
        throw Refusal{CKR_USER_NOT_LOGGED_IN};
}

Bytes CardAccess::through_cache(apdu::Channel& channel, const card::Path& path, bool afresh)
{
    if (!afresh)
        if (const auto found = files_.find(path); found != files_.end())
            return found->second;
    auto content = driver_->read(channel, path);
    auto& copy = files_[path];
    files_changed_ = files_changed_ || copy != content;
    copy = content;
    return content;
}

void CardAccess::keep_files()
{
    if (files_changed_ && cache_)
        cache_->store(files_);
    files_changed_ = false;
}

Identity CardAccess::identify()
{
    auto identity = with_card([&](apdu::Channel& channel) {
        Identity found;
        found.family = family_;
        found.pin_pad = pad_.has_value();
        found.serial = driver_->serial(channel);
        files_.clear();
        const auto application = driver_->application();
        const auto info_path = card::token_info_path(application);
        try {
            files_[info_path] = driver_->read(channel, info_path);
            const auto info = card::parse_token_info(files_[info_path]);
            cache_.emplace(config_.cache ? config_.cache_dir : std::filesystem::path{},
                           found.serial, info.last_update);
            if (auto kept = cache_->load())
                if (const auto same = kept->find(info_path);
                    same != kept->end() && same->second == files_[info_path])
                    files_ = std::move(*kept);
        } catch (const Error& e) {
            if (e.code() != Errc::card_refused) // no TokenInfo: nothing to keep a copy by
                throw;
        }
        try {
            found.contents = card::read_contents(
                application, driver_->has_pin(),
                [&](const card::Path& path) { return through_cache(channel, path, false); });
        } catch (const Error& e) {
            if (e.code() == Errc::malformed_input && cache_)
                cache_->drop();
            throw;
        }
        return found;
    });
    keep_files();
    return identity;
}

Bytes CardAccess::public_file(const card::Path& path, bool afresh)
{
    if (!afresh)
        if (const auto found = files_.find(path); found != files_.end())
            return found->second;
    auto content =
        with_card([&](apdu::Channel& channel) { return through_cache(channel, path, afresh); });
    keep_files();
    return content;
}

Bytes CardAccess::file(const card::Path& path)
{
    return with_card([&](apdu::Channel& channel) { return driver_->read(channel, path); });
}

card::PinStatus CardAccess::pin_status(card::PinRole role)
{
    return with_card(
        [&](apdu::Channel& channel) { return driver_->pin_status(channel, role); });
}

template <class Verify>
card::PinOutcome CardAccess::log_in_by(card::PinRole role, Verify verify)
{
    return with_card([&](pcsc::Transaction& transaction) {
        const card::PinOutcome outcome = verify(transaction);
        if (outcome.kind != card::PinOutcome::accepted)
            return outcome;
        login_ = role == card::PinRole::user ? Login::user : Login::unblocking;
        // The PUK's work is one call: never shared.
        if (!held_ &&
            (config_.login == LoginMode::exclusive || role == card::PinRole::unblocking)) {
            held_.emplace(std::move(transaction));
            holds_ = true;
        }
        return outcome;
    });
}

card::PinOutcome CardAccess::log_in(card::PinRole role, const Pin& padded)
{
    return log_in_by(role, [&](apdu::Channel& channel) {
        return driver_->verify(channel, role, padded.bytes());
    });
}

/// Asked before a PIN pad is: nobody should type for a card that takes no PIN, and a channel
/// lost by a reset comes back here, where the reader's own command would find it gone.
bool CardAccess::is_blocked(apdu::Channel& channel, card::PinRole role)
{
    const auto status = driver_->pin_status(channel, role);
    return !status.verified && status.tries_left == 0;
}

card::PinOutcome CardAccess::log_in_at_pad(card::PinRole role, const card::PinFormat& format)
{
    return log_in_by(role, [&](apdu::Channel& channel) {
        if (!pad_)
            throw Error{Errc::not_supported, "the reader has no PIN pad"};
        if (is_blocked(channel, role))
            return card::PinOutcome{card::PinOutcome::blocked, 0};
        return card::pin_outcome(
            pad_->verify(*connection_, driver_->verify_header(role), pad_format(format))
                .value());
    });
}

card::PinOutcome CardAccess::change_pin_at_pad(const card::PinFormat& format)
{
    return with_card([&](apdu::Channel& channel) {
        const auto header = driver_->change_header();
        if (!pad_ || !header)
            throw Error{Errc::not_supported, "this reader and card cannot change a PIN"};
        if (is_blocked(channel, card::PinRole::user))
            return card::PinOutcome{card::PinOutcome::blocked, 0};
        return card::pin_outcome(
            pad_->modify(*connection_, *header, pad_format(format)).value());
    });
}

card::PinOutcome CardAccess::change_pin(const Pin& old_padded, const Pin& new_padded)
{
    return with_card([&](apdu::Channel& channel) {
        return driver_->change_pin(channel, old_padded.bytes(), new_padded.bytes());
    });
}

void CardAccess::unblock(const Pin& new_padded)
{
    with_card([&](apdu::Channel& channel) {
        require(Login::unblocking);
        driver_->unblock(channel, new_padded.bytes());
        return true;
    });
}

bool CardAccess::log_out() noexcept
{
    login_ = Login::none;
    used_ = false;
    holds_ = false;
    if (!connection_)
        return true;
    try {
        auto transaction = held_ ? std::move(*held_) : begin(patience);
        held_.reset();
        if (const auto ended = transaction.end(pcsc::Leave::reset); !ended)
            throw ended.error();
        return true;
    } catch (const Error& e) {
        drop();
        return is_gone(e.code());
    } catch (...) {
        drop();
        return false;
    }
}

void CardAccess::leave() noexcept
{
    used_ = false;
    if (!connection_ || !driver_ || !driver_->has_pin())
        return;
    try {
        auto transaction = begin(patience_at_the_end);
        const bool verified = driver_->pin_status(transaction, card::PinRole::user).verified;
        if (!transaction.end(verified ? pcsc::Leave::reset : pcsc::Leave::as_is))
            drop();
    } catch (const Error& e) {
        note(e);
    } catch (...) {
        drop();
    }
}

Bytes CardAccess::sign(const card::PrivateKey& key, card::Scheme scheme,
                       crypto::DigestAlgorithm algorithm, ByteView value)
{
    require(Login::user);
    return with_card([&](apdu::Channel& channel) {
        require(Login::user); // a reset by another program has ended it
        return driver_->sign(channel, key, scheme, algorithm, value);
    });
}

std::optional<Bytes> CardAccess::decipher(const card::PrivateKey& key, ByteView cryptogram)
{
    require(Login::user);
    return with_card([&](apdu::Channel& channel) {
        require(Login::user);
        return driver_->decipher(channel, key, cryptogram);
    });
}

Bytes CardAccess::random(std::size_t size)
{
    return with_card([&](apdu::Channel& channel) { return driver_->random(channel, size); });
}

} // namespace cps::p11
