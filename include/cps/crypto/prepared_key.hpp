#pragma once

#include "cps/crypto/public_key.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace cps::crypto {

/// A public key made ready for one algorithm, for who verifies with it again and again: setting
/// OpenSSL up costs a quarter of an RSA verification. Thread-safe; to be shared by pointer.
class PreparedKey {
public:
    /// Cheap: what costs is made by the first verification and kept for the next.
    /// @throws Error bad_argument for a key of another kind than the algorithm's.
    PreparedKey(PublicKey key, SignatureAlgorithm algorithm);
    ~PreparedKey();
    PreparedKey(const PreparedKey&) = delete;
    PreparedKey& operator=(const PreparedKey&) = delete;

    /// False for a wrong signature or one of the wrong length.
    bool verify(ByteView data, ByteView signature) const;

private:
    struct Context;
    std::unique_ptr<Context> take() const;
    void give_back(std::unique_ptr<Context> context) const;

    const PublicKey key_;
    const SignatureAlgorithm algorithm_;
    const std::size_t signature_size_; ///< octets, as a JWS has them
    mutable std::mutex mutex_;         ///< guards what is spare
    mutable std::vector<std::unique_ptr<Context>> spare_;
};

} // namespace cps::crypto
