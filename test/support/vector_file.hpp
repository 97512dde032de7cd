#pragma once

#include "cps/base/bytes.hpp"

#include <map>
#include <string>
#include <vector>

namespace cps::test {

/// One record of a vector file: `name: value` lines up to an empty line. `#` starts a
/// comment; the first comment of each file names the source of its vectors.
class Vector {
public:
    /// @throws std::out_of_range naming the field that is missing.
    const std::string& text(const std::string& name) const;
    Bytes hex(const std::string& name) const;
    Bytes base64url(const std::string& name) const;
    std::map<std::string, std::string> fields;
};

/// Reads test/vectors/`path`. @throws std::runtime_error where it cannot, or it is empty.
std::vector<Vector> read_vectors(const std::string& path);
/// The octets of test/vectors/`path`.
Bytes read_vector_octets(const std::string& path);

} // namespace cps::test
