#pragma once

#include <string>
#include <string_view>

namespace cps::agent {

/// How a host name of a canonical origin reads to a person (RFC 5890; in the manner of UTS
/// #39, with one script allowed). The only place that sees libidn2.
struct HostName {
    enum class Kind {
        ascii,       ///< no internationalised label
        latin,       ///< decodes to common Latin letters, digits and hyphens alone
        foreign,     ///< holds letters that can pass for others, or another script's
        undecodable, ///< no valid IDNA2008 name
    };
    Kind kind = Kind::ascii;
    std::string unicode; ///< UTF-8, for latin alone
    /// What the eye takes it for: accents and hyphens gone, look-alike letters and digits as
    /// the Latin letter. Two names with one skeleton can be mistaken for one another.
    std::string skeleton;

    /// @param host lower case, as an Origin has it.
    static HostName read(std::string_view host);
};

/// `host` of `https://host[:port]`, with the brackets of an IPv6 address.
std::string_view host_of(std::string_view origin);

} // namespace cps::agent
