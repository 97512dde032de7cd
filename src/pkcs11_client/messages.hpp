#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"
#include "cps/pkcs11_client/module.hpp"

#include <cstdint>
#include <vector>

// The bodies of the frames in wire.hpp. Whatever decodes here looks at octets from a process
// that runs somebody else's code: nothing in them is believed.
namespace cps::pkcs11 {

/// Octets as they are, each field that has no fixed size behind its length (4 octets).
Bytes encode_listing(const std::vector<TokenCertificate>& listing);
/// Errors: module_failed for anything but an encoded listing within the limits.
Result<std::vector<TokenCertificate>> decode_listing(ByteView body);

/// What `find` asks for.
Bytes encode_wanted(const Wanted& wanted);
Result<Wanted> decode_wanted(ByteView body);

struct SignRequest {
    Bytes certificate; ///< which key: the certificate that lies beside it
    Bytes digest_info;
};
Bytes encode_sign_request(ByteView certificate, ByteView digest_info);
Result<SignRequest> decode_sign_request(ByteView body);

/// What answers `sign`: the signature, and whether the module has reset the card itself.
struct Signed {
    Bytes signature;
    bool card_reset = false;
};
Bytes encode_signed(const Signed& answer);
/// Errors: module_failed for a body without a signature.
Result<Signed> decode_signed(ByteView body);

/// An Errc that a worker may answer with, and its CK_RV. Others become module_failed.
Bytes encode_refusal(const Error& error);
/// The Error that was refused with; module_failed when the body is malformed.
Error decode_refusal(ByteView body) noexcept;

/// Tries that a PUK has left, 0 to 3. Errors: module_failed outside of these.
Result<int> decode_tries(ByteView body);

/// Tries left after a wrong PIN: 1 to 3 (3 where the module keeps no count). Errors:
/// module_failed outside of these.
Result<WrongPin> decode_wrong_pin(ByteView body);

} // namespace cps::pkcs11
