#pragma once

#include "cps/base/bytes.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cps::token {

/// A web origin in its one canonical spelling (RFC 6454, 6.2): `https://host[:port]`, lower
/// case, no default port, no slash; `http` for a loopback host alone.
class Origin {
public:
    static constexpr std::size_t max_size = 255; // octets: a DNS name and a port
    /// Empty unless `text` is that spelling to the letter.
    static std::optional<Origin> parse(std::string_view text);
    const std::string& str() const noexcept { return text_; }
    bool is_https() const noexcept { return text_.starts_with("https://"); }
    friend bool operator==(const Origin&, const Origin&) = default;
    friend auto operator<=>(const Origin&, const Origin&) = default;

private:
    explicit Origin(std::string_view text) : text_{text} {}
    std::string text_;
};

/// A portal's nonce: 32 random octets as base64url, kept as text.
class Nonce {
public:
    static constexpr std::size_t octets = 32;
    static std::optional<Nonce> parse(std::string_view base64url);
    /// @param random exactly 32 octets. @throws Error bad_argument.
    static Nonce from_bytes(ByteView random);
    const std::string& str() const noexcept { return text_; }
    friend bool operator==(const Nonce&, const Nonce&) = default;
    friend auto operator<=>(const Nonce&, const Nonce&) = default;

private:
    explicit Nonce(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

/// A feature identifier: `[a-z0-9._-]{1,64}`. "login" is built in.
class Feature {
public:
    static std::optional<Feature> parse(std::string_view text);
    static Feature login();
    const std::string& str() const noexcept { return text_; }
    bool is_login() const noexcept { return text_ == "login"; }
    friend bool operator==(const Feature&, const Feature&) = default;
    friend auto operator<=>(const Feature&, const Feature&) = default;

private:
    explicit Feature(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

/// What one HTTP request is, as tokens bind it (docs/token-profile.md).
struct RequestBinding {
    std::string htm; ///< method, upper case: `[A-Z]{1,16}`
    std::string htu; ///< origin + raw path bytes as sent, at most max_htu octets
    std::string rid; ///< base64url SHA-256 of raw query octets ‖ 0x0A ‖ body octets

    static constexpr std::size_t max_htu = 1024; // octets: the token must fit a header line
    /// Empty unless all three are well formed and `htu` starts with `origin` and a slash and
    /// holds no query, fragment, control or non-ASCII octet.
    static std::optional<RequestBinding> parse(const Origin& origin, std::string_view htm,
                                               std::string_view htu, std::string_view rid);
    friend bool operator==(const RequestBinding&, const RequestBinding&) = default;
};

/// The `rid` of a request. @param query raw octets after `?`, without it.
std::string request_id(ByteView query, ByteView body);

/// True for raw paths that gated locations refuse: `//`, dot segments plain or encoded,
/// `%2F`, `%5C`, `%00`, anything outside printable ASCII.
bool is_ambiguous_path(std::string_view raw_path) noexcept;

} // namespace cps::token
