#pragma once

#include "card_access.hpp"
#include "object.hpp"

#include "cps/crypto/public_key.hpp"
#include "cps/pcsc/snapshot.hpp"
#include "cps/pcsc/worker.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cps::p11 {

/// The card in a slot as clients see it. Guarded by its slot's mutex.
struct Token {
    struct KnownCertificate {
        Bytes der;
        card::CertificateFields fields;
        std::optional<crypto::PublicKey> key; ///< empty for one that OpenSSL cannot read
    };

    Identity identity;
    std::unique_ptr<card::Card> driver; ///< asked what it can do; sends nothing
    std::vector<Object> objects;        ///< handle - 1
    std::vector<std::optional<KnownCertificate>> certificates;
};

/// One reader. Calls for the card wait for each other here and have a deadline; `present`,
/// `epoch` and `login` may be asked by any thread at any time, the rest with `mutex` held.
class Slot {
public:
    Slot(CK_SLOT_ID id, std::string reader, const Config& config,
         pcsc::Worker::Threads threads);

    CK_SLOT_ID id() const noexcept { return id_; }
    const std::string& reader() const noexcept { return reader_; }

    /// What the watcher has seen. Starts a new epoch when the card is another one or gone.
    void see(const pcsc::Reader* reader);
    bool present() const noexcept { return present_; }
    /// Sessions of an earlier epoch are dead.
    unsigned epoch() const noexcept { return epoch_; }
    /// Whether presence has changed since this was last asked.
    bool take_event() noexcept { return event_.exchange(false); }
    Login login() const noexcept;

    std::mutex mutex;

    /// @throws Refusal TOKEN_NOT_PRESENT, TOKEN_NOT_RECOGNIZED; as the card.
    Token& token();
    /// The object with its attributes up to `type`, reading the certificate where it must.
    const Bytes* attribute(Object& object, CK_ATTRIBUTE_TYPE type);
    Bytes data_value(const Object& object);
    /// The certificate itself, read from the card anew.
    Bytes certificate_on_card(const Object& object);

    card::PinStatus pin_status();
    /// Of the PUK. Not while it is logged in.
    card::PinStatus puk_status();
    card::PinOutcome log_in(card::PinRole role, ByteView pin);
    card::PinOutcome change_pin(ByteView old_pin, ByteView new_pin);
    card::PinOutcome log_in_at_pad(card::PinRole role);
    card::PinOutcome change_pin_at_pad();
    void unblock(ByteView new_pin);
    /// Resets the card. Does nothing to one that nobody is logged in to. False: it is there and
    /// could not be reset, so that what was verified may serve others.
    bool log_out();
    /// A session opens.
    void enter() noexcept;
    /// The last session's end: leaves the card unverified, whoever verified it.
    void leave();

    /// A signature that the key's certificate confirms.
    Bytes sign(std::size_t key, card::Scheme scheme, crypto::DigestAlgorithm algorithm,
               ByteView value);
    std::optional<Bytes> decipher(std::size_t key, ByteView cryptogram);
    Bytes random(std::size_t size);

private:
    template <class Job>
    auto run(Job job);
    template <class Job>
    auto run(std::chrono::milliseconds at_most, Job job);
    void start_worker();
    void end_when_idle(const std::shared_ptr<CardAccess>& access);
    void forget_card() noexcept;
    std::shared_ptr<CardAccess> access() const;
    void set_access(std::shared_ptr<CardAccess> access);
    Token::KnownCertificate& certificate(std::size_t index);
    /// From the card, where the copy may lie or be of a certificate that is there no longer.
    Token::KnownCertificate& read_anew(std::size_t index);
    void forget_certificate(std::size_t index);
    Token::KnownCertificate& read_certificate(std::size_t index, bool afresh);

    const CK_SLOT_ID id_;
    const std::string reader_;
    const Config config_;
    const pcsc::Worker::Threads threads_;

    std::atomic<bool> present_ = false;
    std::atomic<bool> event_ = false;
    std::atomic<unsigned> epoch_ = 0;
    unsigned insertion_ = 0; // of the watcher's thread of calls alone

    std::unique_ptr<pcsc::Worker> worker_;
    mutable std::mutex access_mutex_;    // of the pointer alone
    std::shared_ptr<CardAccess> access_; // shared with jobs left behind
    unsigned access_epoch_ = 0;
    std::unique_ptr<Token> token_;
    std::optional<card::PinStatus> pin_status_;
    std::chrono::steady_clock::time_point pin_status_at_;
};

} // namespace cps::p11
