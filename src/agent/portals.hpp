#pragma once

#include "config.hpp"

#include "cps/token/values.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cps::agent {

/// Words in both languages; the English ones are optional.
struct Words {
    std::string fr;
    std::string en;
    const std::string& in(std::string_view language) const noexcept
    {
        return language == "en" && !en.empty() ? en : fr;
    }
};

enum class FeatureMode { session, card };

struct PortalFeature {
    Words label;
    FeatureMode mode = FeatureMode::session;
    unsigned limit = 0; ///< feature tokens a session; 0 for card features
};

/// One registered portal: who may ask, and for what (`portals.d/*.toml`).
struct Portal {
    token::Origin origin;
    Words name;
    std::vector<std::string> redirect_uris;
    std::string revoke_uri;
    bool web_eid = false;
    std::map<token::Feature, PortalFeature> features;
    std::string file{}; ///< that registers it
};

/// True when `uri` is an address under `origin`: printable ASCII, a slash after the origin.
bool lies_under(std::string_view uri, const token::Origin& origin);

/// Every registered portal, by origin. What `find` gave stays as it was until
/// `forget_replaced`.
class Portals {
public:
    static constexpr std::size_t max_files = 256;   // in one folder
    static constexpr std::size_t max_features = 64; // of one portal
    static constexpr unsigned max_limit = 10'000;   // feature tokens a session
    static constexpr std::size_t max_name = 60;     // characters; octets: half more
    static constexpr std::size_t max_label = 120;   // the same; both are shown whole

    /// Adds every `*.toml` of `folder`, in the order of their names; a bad file is told in
    /// `problems` and left out whole. A folder that is not there is empty.
    void load(const std::filesystem::path& folder, bool allow_http_loopback,
              std::vector<ConfigProblem>& problems);

    const Portal* find(const token::Origin& origin) const;
    const std::map<token::Origin, Portal>& all() const noexcept { return portals_; }

    /// Takes over what `before` had from files that are bad now (`problems` names them).
    void keep(const Portals& before, const std::vector<ConfigProblem>& problems,
              bool allow_http_loopback);
    /// `fresh` takes the place of what is here.
    void replace(Portals fresh);
    /// When nobody uses what was found before the last `replace` any more.
    void forget_replaced() noexcept { replaced_.clear(); }
    std::size_t replaced() const noexcept { return replaced_.size(); }

private:
    using Map = std::map<token::Origin, Portal>;
    Map portals_;
    std::vector<Map> replaced_;
};

} // namespace cps::agent
