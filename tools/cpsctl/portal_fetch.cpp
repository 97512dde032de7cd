#include "portal_fetch.hpp"

#include "agent_call.hpp"
#include "portal_document.hpp"

#include <curl/curl.h>

#include <memory>
#include <string_view>

namespace cps::ctl {
namespace {

constexpr long all_of_it = 10;      // seconds: a person waits
constexpr long until_connected = 5; // seconds

struct Body {
    std::string text;
    bool too_large = false;
};

std::size_t take(char* data, std::size_t one, std::size_t size, void* to)
{
    auto& body = *static_cast<Body*>(to);
    size *= one;
    if (body.text.size() + size > max_portal_document) {
        body.too_large = true;
        return 0; // ends the transfer
    }
    body.text.append(data, size);
    return size;
}

template <class T>
void set(CURL* curl, CURLoption option, T value)
{
    if (curl_easy_setopt(curl, option, value) != CURLE_OK)
        throw AgentRefused{"internal", "libcurl lacks what the call needs"};
}

bool is_json(const char* content_type)
{
    const std::string_view type = content_type != nullptr ? content_type : "";
    const auto media = type.substr(0, type.find(';'));
    return media.substr(0, media.find_last_not_of(' ') + 1) == "application/json";
}

} // namespace

std::string PortalFetch::get(const std::string& url) const
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const std::unique_ptr<CURL, void (*)(CURL*)> owned{curl_easy_init(), curl_easy_cleanup};
    CURL* const curl = owned.get();
    if (curl == nullptr)
        throw AgentRefused{"internal", "libcurl cannot start"};
    const bool https = url.starts_with("https://");
    Body body;
    set(curl, CURLOPT_URL, url.c_str());
    set(curl, CURLOPT_PROTOCOLS_STR, https ? "https" : "http");
    set(curl, CURLOPT_FOLLOWLOCATION, 0L);
    set(curl, CURLOPT_TIMEOUT, all_of_it);
    set(curl, CURLOPT_CONNECTTIMEOUT, until_connected);
    set(curl, CURLOPT_NOSIGNAL, 1L);
    set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(curl, CURLOPT_USERAGENT, "cpsctl/" CPS_VERSION);
    set(curl, CURLOPT_WRITEFUNCTION, take);
    set(curl, CURLOPT_WRITEDATA, static_cast<void*>(&body));
    if (!https)
        set(curl, CURLOPT_NOPROXY, "*"); // a loopback page is no proxy's affair
    if (!ca_file_.empty())
        set(curl, CURLOPT_CAINFO, ca_file_.c_str());

    const auto outcome = curl_easy_perform(curl);
    if (body.too_large)
        throw AgentRefused{"portal_invalid", url + " has more than 64 KiB"};
    if (outcome != CURLE_OK)
        throw AgentRefused{"portal_unreachable", url + ": " + curl_easy_strerror(outcome)};
    long status = 0;
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (status >= 300 && status < 400)
        throw AgentRefused{"portal_invalid",
                           url + " redirects elsewhere, which is not followed"};
    if (status != 200)
        throw AgentRefused{"portal_invalid", url + " answers " + std::to_string(status)};
    if (!is_json(type))
        throw AgentRefused{"portal_invalid", url + " is not application/json"};
    return std::move(body.text);
}

} // namespace cps::ctl
