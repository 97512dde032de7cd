#include "cps/crypto/random.hpp"

#include "cps/base/error.hpp"

#include <openssl/rand.h>

namespace cps::crypto {

Bytes random_bytes(std::size_t size)
{
    Bytes bytes(size);
    // The _ex form takes a size_t; 0 asks for the strength that the generator has.
    if (size != 0 && RAND_bytes_ex(nullptr, bytes.data(), size, 0) != 1)
        throw Error{Errc::internal, "no random numbers to be had"};
    return bytes;
}

} // namespace cps::crypto
