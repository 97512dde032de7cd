#include "slot.hpp"

#include "cps/crypto/rsa.hpp"

namespace cps::p11 {
namespace {

using std::chrono::milliseconds;

// Above what a card needs for anything (two certificates at 9,600 baud take 5 s) and the
// patience with another program's transaction.
constexpr milliseconds card_deadline{15'000};
// With a person at a PIN pad: 30 s for each of three entries.
constexpr milliseconds pad_deadline{105'000};
// A login that nobody uses is ended.
constexpr milliseconds idle_login{5000};
// Clients ask for token information several times in a row.
constexpr milliseconds pin_status_age{1000};

} // namespace

Slot::Slot(CK_SLOT_ID id, std::string reader, const Config& config,
           pcsc::Worker::Threads threads)
    : id_{id}, reader_{std::move(reader)}, config_{config}, threads_{threads}
{
}

void Slot::see(const pcsc::Reader* reader)
{
    const bool present = reader != nullptr && reader->card != pcsc::CardState::absent;
    const auto insertion = reader != nullptr ? reader->insertion : 0;
    if (present == present_ && (!present || insertion == insertion_))
        return;
    present_ = present;
    insertion_ = insertion;
    ++epoch_;
    event_ = true;
}

std::shared_ptr<CardAccess> Slot::access() const
{
    const std::scoped_lock lock{access_mutex_};
    return access_;
}

void Slot::set_access(std::shared_ptr<CardAccess> access)
{
    const std::scoped_lock lock{access_mutex_};
    access_.swap(access); // what it was goes when the lock is free again
}

Login Slot::login() const noexcept
{
    const auto access = this->access();
    return access ? access->login() : Login::none;
}

void Slot::forget_card() noexcept
{
    token_.reset();
    pin_status_.reset();
    set_access(nullptr);
}

void Slot::start_worker()
{
    if (worker_ && worker_->lost()) {
        worker_.reset();
        forget_card();
    }
    if (access_epoch_ != epoch_)
        forget_card();
    access_epoch_ = epoch_;
    if (!worker_)
        worker_ = std::make_unique<pcsc::Worker>(threads_);
    if (!this->access())
        set_access(std::make_shared<CardAccess>(reader_, config_));
}

/// After every call, also one that failed: each takes back the end that was set before it.
void Slot::end_when_idle(const std::shared_ptr<CardAccess>& access)
{
    if (access->holds_card())
        worker_->when_idle(idle_login, [access] { access->log_out(); });
}

/// Runs `job` with the card on the worker, within the deadline.
template <class Job>
auto Slot::run(Job job)
{
    return run(card_deadline, std::move(job));
}

template <class Job>
auto Slot::run(milliseconds at_most, Job job)
{
    start_worker();
    const auto access = this->access();
    try {
        auto answer = worker_->run(
            at_most, [access, job = std::move(job)]() mutable { return job(*access); });
        end_when_idle(access);
        if (!answer) {
            forget_card();
            if (access->connecting())
                throw Error{Errc::card_in_use, "another program holds the card"};
            throw Error{Errc::card_mute, "the card did not answer in time"};
        }
        return std::move(*answer);
    } catch (const Error& e) {
        if (is_gone(e.code())) {
            ++epoch_; // its sessions are gone with it
            forget_card();
        }
        end_when_idle(access);
        throw;
    } catch (...) { // a refusal
        end_when_idle(access);
        throw;
    }
}

Token& Slot::token()
{
    if (!present_)
        throw Refusal{CKR_TOKEN_NOT_PRESENT};
    start_worker();
    if (token_)
        return *token_;
    auto token = std::make_unique<Token>();
    token->identity = run([](CardAccess& access) { return access.identify(); });
    token->driver = driver_for(token->identity.family);
    if (!token->driver)
        throw Refusal{CKR_TOKEN_NOT_RECOGNIZED};
    token->objects = make_objects(token->identity.contents, *token->driver);
    token->certificates.resize(token->identity.contents.certificates.size());
    token_ = std::move(token);
    return *token_;
}

Token::KnownCertificate& Slot::certificate(std::size_t index)
{
    auto& known = token().certificates[index];
    return known ? *known : read_certificate(index, false);
}

Token::KnownCertificate& Slot::read_anew(std::size_t index)
{
    forget_certificate(index);
    return read_certificate(index, true);
}

Token::KnownCertificate& Slot::read_certificate(std::size_t index, bool afresh)
{
    auto path = token().identity.contents.certificates[index].path;
    auto der = run([path = std::move(path), afresh](CardAccess& access) {
        return access.public_file(path, afresh);
    });
    Token::KnownCertificate known;
    known.fields = card::parse_certificate(der);
    known.der = std::move(der);
    if (auto key = crypto::PublicKey::from_spki(known.fields.spki))
        known.key = *key;
    return token_->certificates[index].emplace(std::move(known));
}

const Bytes* Slot::attribute(Object& object, CK_ATTRIBUTE_TYPE type)
{
    if (const auto* const found = object.find(type); found != nullptr || object.complete)
        return found;
    if (!object.certificate)
        return nullptr;
    try {
        const auto& known = certificate(*object.certificate);
        complete(object, known.der, known.fields);
    } catch (const Error& e) {
        if (is_gone(e.code()) || e.code() == Errc::card_mute)
            throw;
        object.complete = true; // no such file, or no certificate in it: nothing to be had
    }
    return object.find(type);
}

Bytes Slot::certificate_on_card(const Object& object)
{
    const auto index = object.certificate.value();
    auto path = token().identity.contents.certificates[index].path;
    auto der = run([path = std::move(path)](CardAccess& access) {
        return access.public_file(path, true);
    });
    if (auto& known = token_->certificates[index]; known && known->der != der)
        forget_certificate(index);
    return der;
}

void Slot::forget_certificate(std::size_t index)
{
    token_->certificates[index].reset();
    for (auto& object : token_->objects)
        if (object.certificate == index)
            object.complete = false;
}

Bytes Slot::data_value(const Object& object)
{
    auto path = token().identity.contents.data[object.data.value()].path;
    return run([path = std::move(path)](CardAccess& access) { return access.file(path); });
}

card::PinStatus Slot::pin_status()
{
    if (login() == Login::user)
        return {true, 0};
    const auto now = std::chrono::steady_clock::now();
    if (!pin_status_ || now - pin_status_at_ > pin_status_age) {
        pin_status_ =
            run([](CardAccess& access) { return access.pin_status(card::PinRole::user); });
        pin_status_at_ = now;
    }
    return *pin_status_;
}

card::PinStatus Slot::puk_status()
{
    return run([](CardAccess& access) { return access.pin_status(card::PinRole::unblocking); });
}

card::PinOutcome Slot::log_in(card::PinRole role, ByteView pin)
{
    const auto& contents = token().identity.contents;
    const auto& format = role == card::PinRole::user ? contents.pin : contents.puk;
    if (!card::well_formed(pin, format)) // no card takes it: not worth one of three tries
        throw Refusal{CKR_PIN_INCORRECT};
    pin_status_.reset();
    return run([role, padded = card::pad_pin(pin, format)](CardAccess& access) {
        return access.log_in(role, padded);
    });
}

card::PinOutcome Slot::log_in_at_pad(card::PinRole role)
{
    const auto& contents = token().identity.contents;
    pin_status_.reset();
    return run(pad_deadline,
               [role, format = role == card::PinRole::user ? contents.pin : contents.puk](
                   CardAccess& access) { return access.log_in_at_pad(role, format); });
}

card::PinOutcome Slot::change_pin_at_pad()
{
    pin_status_.reset();
    return run(pad_deadline, [format = token().identity.contents.pin](CardAccess& access) {
        const auto outcome = access.change_pin_at_pad(format);
        if (outcome.kind != card::PinOutcome::accepted || access.login() == Login::none)
            access.log_out();
        return outcome;
    });
}

card::PinOutcome Slot::change_pin(ByteView old_pin, ByteView new_pin)
{
    const auto& format = token().identity.contents.pin;
    if (!card::well_formed(old_pin, format))
        throw Refusal{CKR_PIN_INCORRECT};
    pin_status_.reset();
    return run([before = card::pad_pin(old_pin, format),
                after = card::pad_pin(new_pin, format)](CardAccess& access) {
        const auto outcome = access.change_pin(before, after);
        if (outcome.kind != card::PinOutcome::accepted || access.login() == Login::none)
            access.log_out();
        return outcome;
    });
}

void Slot::unblock(ByteView new_pin)
{
    pin_status_.reset();
    run([padded = card::pad_pin(new_pin, token().identity.contents.pin)](CardAccess& access) {
        access.unblock(padded);
        return true;
    });
}

bool Slot::log_out()
{
    const auto access = this->access();
    if (!access || !worker_ || access->login() == Login::none)
        return true;
    pin_status_.reset();
    return run([](CardAccess& card) { return card.log_out(); });
}

void Slot::enter() noexcept
{
    if (const auto access = this->access())
        access->enter();
}

void Slot::leave()
{
    log_out();
    const auto access = this->access();
    if (!access || !worker_ || !access->used())
        return;
    pin_status_.reset();
    try {
        run([](CardAccess& card) {
            card.leave();
            return true;
        });
    } catch (const Error&) { // NOLINT: the card is mute, and the session ends all the same
    }
}

namespace {

bool confirmed(const Token::KnownCertificate& by, card::Scheme scheme,
               crypto::DigestAlgorithm algorithm, ByteView value, ByteView signature)
{
    if (!by.key)
        return false;
    switch (scheme) {
    case card::Scheme::pkcs1_t: return crypto::is_pkcs1_signature_of(*by.key, value, signature);
    case card::Scheme::pkcs1_digest:
        return crypto::is_pkcs1_signature_of(*by.key, crypto::digest_info(algorithm, value),
                                             signature);
    case card::Scheme::pss_digest: break;
    }
    return crypto::is_pss_signature_of(*by.key, algorithm, value, signature);
}

} // namespace

Bytes Slot::sign(std::size_t key, card::Scheme scheme, crypto::DigestAlgorithm algorithm,
                 ByteView value)
{
    auto& token = this->token();
    const auto& private_key = token.identity.contents.keys[key];
    std::optional<std::size_t> index;
    for (std::size_t i = 0; i != token.identity.contents.certificates.size(); ++i)
        if (token.identity.contents.certificates[i].id == private_key.id)
            index = i;
    auto signature =
        run([private_key, scheme, algorithm, message = copy_of(value)](CardAccess& access) {
            return access.sign(private_key, scheme, algorithm, message);
        });
    if (!index)
        return signature; // a key without a certificate: nothing to check it by
    if (!confirmed(certificate(*index), scheme, algorithm, value, signature) &&
        !confirmed(read_anew(*index), scheme, algorithm, value, signature))
        throw Error{Errc::malformed_input, "the signature does not fit the certificate"};
    return signature;
}

std::optional<Bytes> Slot::decipher(std::size_t key, ByteView cryptogram)
{
    const auto& private_key = token().identity.contents.keys[key];
    return run([private_key, message = copy_of(cryptogram)](CardAccess& access) {
        return access.decipher(private_key, message);
    });
}

Bytes Slot::random(std::size_t size)
{
    token();
    return run([size](CardAccess& access) { return access.random(size); });
}

} // namespace cps::p11
