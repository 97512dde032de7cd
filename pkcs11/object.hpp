#pragma once

#include "cryptoki.hpp"

#include "cps/base/bytes.hpp"
#include "cps/card/card.hpp"
#include "cps/card/certificate_fields.hpp"

#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace cps::p11 {

/// One object of a token: what it is on the card, and its attributes. Those that need the
/// certificate are there once it has been read.
struct Object {
    CK_OBJECT_CLASS object_class = 0;
    bool is_private = false;
    std::optional<std::size_t> key;         ///< of Contents::keys
    std::optional<std::size_t> certificate; ///< of Contents::certificates
    std::optional<std::size_t> data;        ///< of Contents::data
    std::map<CK_ATTRIBUTE_TYPE, Bytes> attributes;
    bool complete = false; ///< nothing is left to be read

    /// The value, or null where the object has none of that type (yet).
    const Bytes* find(CK_ATTRIBUTE_TYPE type) const noexcept;
};

/// All objects of a card, handle by handle: the first has handle 1.
std::vector<Object> make_objects(const card::Contents& contents, const card::Card& driver);

/// Adds what the certificate tells. @param der the certificate that belongs to the object.
void complete(Object& object, ByteView der, const card::CertificateFields& fields);

/// Attributes that exist and are never handed out (PKCS #11 v3.0, 4.9).
bool is_sensitive(const Object& object, CK_ATTRIBUTE_TYPE type) noexcept;

/// What to answer who would use it as a private key: a public key is of no such use here, and
/// what is no key at all has no valid key handle.
CK_RV not_a_private_key(const Object& object) noexcept;

} // namespace cps::p11
