// cps-agent-poster: posts one JSON body to one portal and ends. The agent starts it for each
// revoke token, so that the process that holds keys and PINs never reaches out itself.
//
// Standard input: the address, a line feed, the body. Standard output: the HTTP status.
// Exit code: 0 for a 2xx answer, 1 for any other outcome, 2 for an address that may not be.
#include "cps/base/secret.hpp"
#include "cps/token/values.hpp"

#include <curl/curl.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>

namespace {

constexpr std::size_t max_input = 16 * 1024;  // octets: a revoke token has about 700
constexpr std::size_t max_answer = 64 * 1024; // octets; nobody reads them
constexpr long connect_time = 5;              // seconds
constexpr long whole_time = 10;               // seconds, all of it

constexpr int done = 0;
constexpr int refused = 1;
constexpr int wrong_usage = 2;

struct CurlDeleter {
    void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

/// The origin of `uri`; empty where that is none: http is for loopback hosts alone.
std::optional<cps::token::Origin> origin_of(const std::string& uri)
{
    const auto authority = uri.find("://");
    if (authority == std::string::npos)
        return std::nullopt;
    return cps::token::Origin::parse(uri.substr(0, uri.find('/', authority + 3)));
}

/// Counts the answer's octets and keeps none; a number other than `size` ends the transfer.
std::size_t discard(char*, std::size_t, std::size_t size, void* total)
{
    auto& seen = *static_cast<std::size_t*>(total);
    seen += size;
    return seen > max_answer ? 0 : size;
}

int post(const std::string& uri, const std::string& body, bool https)
{
    const std::unique_ptr<CURL, CurlDeleter> curl{curl_easy_init()};
    const std::unique_ptr<curl_slist, CurlDeleter> fields{
        curl_slist_append(nullptr, "Content-Type: application/json")};
    if (!curl || !fields)
        return refused;
    std::size_t answered = 0;
    auto* const c = curl.get();
    const bool set =
        curl_easy_setopt(c, CURLOPT_URL, uri.c_str()) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, https ? "https" : "http") == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) ==
            CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_NOPROXY, https ? nullptr : "*") == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED)) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, connect_time) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_TIMEOUT, whole_time) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_USERAGENT, "cps-agent/" CPS_VERSION) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, fields.get()) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size())) ==
            CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.c_str()) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_WRITEDATA, &answered) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, discard) == CURLE_OK;
    if (!set)
        return refused;
    if (const auto outcome = curl_easy_perform(c); outcome != CURLE_OK) {
        std::cerr << "cps-agent-poster: " << curl_easy_strerror(outcome) << '\n';
        return refused;
    }
    long status = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    std::cout << status << '\n';
    return status >= 200 && status < 300 ? done : refused;
}

} // namespace

int main()
{
    cps::forbid_dumps();
    std::string input(max_input + 1, '\0');
    std::cin.read(input.data(), static_cast<std::streamsize>(input.size()));
    input.resize(static_cast<std::size_t>(std::cin.gcount()));
    const auto line = input.find('\n');
    if (input.size() > max_input || line == std::string::npos)
        return wrong_usage;
    const auto uri = input.substr(0, line);
    const auto origin = origin_of(uri);
    if (!origin)
        return wrong_usage;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return refused;
    return post(uri, input.substr(line + 1), origin->is_https());
}
