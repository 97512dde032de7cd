#include "chosen.hpp"

#include "presence.hpp"

#include <utility>

namespace cps::agent {

std::optional<AuthenticationCertificate>
authentication_certificate(const pkcs11::TokenCertificate& candidate)
{
    auto certificate = x509::Certificate::from_der(candidate.der);
    if (!certificate || !certificate->is_authentication_certificate())
        return std::nullopt;
    auto holder = x509::holder_of(*certificate);
    if (!holder)
        return std::nullopt;
    auto key = certificate->key();
    return AuthenticationCertificate{*std::move(certificate), *std::move(holder),
                                     key ? std::optional{*std::move(key)} : std::nullopt};
}

std::optional<AuthenticationCertificate>
LastChosen::read(const pkcs11::TokenCertificate& candidate)
{
    if (last_ && last_->certificate.der() == candidate.der)
        return last_;
    auto read = authentication_certificate(candidate);
    if (read)
        last_ = read;
    return read;
}

std::string full_name(const x509::Holder& holder)
{
    return holder.given_names + ' ' + holder.surname;
}

Result<Chosen> choose(const std::vector<pkcs11::TokenCertificate>& found, EpochSeconds at,
                      LastChosen& last)
{
    if (found.empty())
        return Error{Errc::card_unsupported, "the module finds no certificate on any card"};
    bool out_of_date = false;
    for (const auto& candidate : found) {
        auto read = last.read(candidate);
        if (!read || !read->key || !read->key->is_rsa())
            continue;
        if (at < read->certificate.not_before() || read->certificate.not_after() < at) {
            out_of_date = true;
            continue;
        }
        return Chosen{candidate, std::move(read->certificate), std::move(read->holder),
                      *std::move(read->key)};
    }
    if (out_of_date)
        return Error{Errc::certificate_expired,
                     "the authentication certificate is out of date"};
    return Error{Errc::certificate_missing, "no certificate on the card is for authentication"};
}

CardInReader card_of(const Chosen& chosen, const pcsc::Snapshot& before)
{
    CardInReader card{chosen.on_token.reader, 0, chosen.on_token.serial,
                      copy_of(chosen.certificate.der()), chosen.on_token.id};
    for (const auto& reader : before.readers)
        if (is_reader(card.reader, reader.name))
            card.insertion = reader.insertion;
    return card;
}

} // namespace cps::agent
