#include "support/vector_file.hpp"

#include "cps/base/encoding.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace cps::test {
namespace {

std::ifstream open(const std::string& path)
{
    const auto* root = std::getenv("CPS_TEST_VECTORS");
    if (root == nullptr)
        throw std::runtime_error{"CPS_TEST_VECTORS is not set"};
    std::ifstream file{std::string{root} + '/' + path, std::ios::binary};
    if (!file)
        throw std::runtime_error{"cannot open vector file " + path};
    return file;
}

template <class T>
T decoded(const std::optional<T>& value, const std::string& name)
{
    if (!value)
        throw std::out_of_range{"vector field " + name + " cannot be decoded"};
    return *value;
}

} // namespace

const std::string& Vector::text(const std::string& name) const
{
    const auto found = fields.find(name);
    if (found == fields.end())
        throw std::out_of_range{"vector has no field " + name};
    return found->second;
}

Bytes Vector::hex(const std::string& name) const
{
    return decoded(from_hex(text(name)), name);
}

Bytes Vector::base64url(const std::string& name) const
{
    return decoded(from_base64url(text(name)), name);
}

std::vector<Vector> read_vectors(const std::string& path)
{
    auto file = open(path);
    std::vector<Vector> vectors;
    Vector current;
    const auto finish = [&] {
        if (!current.fields.empty())
            vectors.push_back(std::exchange(current, {}));
    };
    for (std::string line; std::getline(file, line);) {
        if (line.empty()) {
            finish();
            continue;
        }
        if (line.front() == '#')
            continue;
        const auto colon = line.find(": ");
        if (colon == std::string::npos)
            throw std::runtime_error{path + ": not `name: value`: " + line};
        current.fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
    finish();
    if (vectors.empty())
        throw std::runtime_error{"no vector in " + path};
    return vectors;
}

Bytes read_vector_octets(const std::string& path)
{
    auto file = open(path);
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace cps::test
