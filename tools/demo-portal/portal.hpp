#pragma once

#include "accounts.hpp"
#include "cookie.hpp"
#include "login_limit.hpp"
#include "pages.hpp"
#include "sessions.hpp"

#include "cps/base/clock.hpp"
#include "cps/http/server.hpp"
#include "cps/token/values.hpp"
#include "cps/verify/verifier.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <string>
#include <string_view>

namespace cps::portal {

/// The demonstration portal: who is let in, and the closing of its one restricted feature. All
/// of it runs on the server's thread but scrypt, which has a thread of its own.
class Portal final : public http::Handler {
public:
    struct Parts {
        token::Origin origin; ///< what browsers see; never taken from a request
        Accounts accounts;
        Pages pages;
        x509::TrustStore trust;
        std::vector<std::string> policies;
    };
    /// `io` and `clock` must outlive it.
    Portal(boost::asio::io_context& io, const Clock& clock, Parts parts);

    void handle(http::Request request, http::Reply reply) override;
    std::string_view language() const override { return "fr"; }

    /// A request that was admitted, with what every handler asks for.
    struct Call {
        const http::Request& request;
        std::string_view language;
        std::string cookie;         ///< empty: none
        Session* session = nullptr; ///< of that cookie
    };

private:
    struct Route;
    static const Route routes[];

    http::Response dispatch(const http::Request& request);
    std::optional<http::Response> refuse(const http::Request& request) const;

    // One for each route; the table is in portal.cpp.
    http::Response show_page(const Call& call);
    http::Response show_features(const Call& call);
    http::Response show_me(const Call& call);
    http::Response log_out(const Call& call);
    http::Response look_up_patient(const Call& call);
    void log_in(const http::Request& request, const http::Reply& reply);
    void finish_login(const std::string& login, bool right, std::string_view language,
                      const std::string& old_cookie, const http::Reply& reply);
    http::Response show_patient(const Call& call, std::string_view nir);
    http::Response challenged(const Call& call, std::string_view code);
    http::Response refused(const Call& call, verify::Refusal why);
    void send(const http::Reply& reply, http::Response response) const;
    void audit(std::string_view route, std::string_view account, std::string_view code) const;

    boost::asio::io_context& io_;
    const Clock& clock_;
    token::Origin origin_;
    Accounts accounts_;
    Pages pages_;
    SessionCookie cookie_;
    Sessions sessions_;
    LoginLimit login_limit_;
    verify::MemoryStore nonces_;
    verify::Verifier verifier_;
    std::size_t logins_under_way_ = 0;
    boost::asio::thread_pool hashing_{1}; // last: its thread ends before the rest goes
};

} // namespace cps::portal
