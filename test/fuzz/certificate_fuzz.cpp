#include "cps/x509/crl_store.hpp"
#include "cps/x509/holder.hpp"
#include "cps/x509/trust.hpp"
#include "fuzz/authority.hpp"

#include <algorithm>
#include <cstdlib>

using namespace cps;

/// Everything that is asked of a certificate before anybody believes it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const auto trust = x509::TrustStore::from_pem(fuzz::authority().pem()).value();
    static const SystemClock clock;
    static const x509::CrlStore crls{trust.anchors(), clock};
    const ByteView der{data, size};
    const auto certificate = x509::Certificate::from_der(der);
    if (!certificate)
        return 0;

    if (!std::ranges::equal(certificate->der(), der))
        std::abort();
    const auto again = x509::Certificate::from_pem(certificate->pem());
    if (!again || again->size() != 1 || again->front().sha256() != certificate->sha256())
        std::abort();
    (void)certificate->subject();
    (void)certificate->issuer();
    (void)certificate->policies();
    (void)certificate->key();
    const auto holder = x509::holder_of(*certificate);
    if (holder && (holder->id.empty() || holder->id_kind.empty()))
        std::abort();
    (void)crls.check(*certificate, {});
    const auto at = certificate->not_before() + std::chrono::seconds{1};
    if (!trust.check(*certificate, at, {}) && !certificate->is_authentication_certificate())
        std::abort();
    return 0;
}
