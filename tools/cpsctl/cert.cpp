#include "accepted_json.hpp"
#include "agent_call.hpp"
#include "date.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include "config.hpp"
#include "presence.hpp"
#include "runtime_dir.hpp"

#include "cps/base/encoding.hpp"
#include "cps/pkcs11_client/module.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/x509v3.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <thread>

namespace cps::ctl {
namespace {

using namespace std::chrono_literals;

struct Options {
    std::string module = CPS_MODULE_PATH;
    bool json = false;
};

/// One certificate of a card, and who it says holds it.
struct Found {
    pkcs11::TokenCertificate on_token;
    x509::Certificate certificate;
    std::optional<x509::Holder> holder;
    std::string_view usage; ///< "authentication" "signature" "other"
    long long days_left;    ///< negative: out of date since so many days
};

std::string_view usage_of(const x509::Certificate& certificate)
{
    if (certificate.is_authentication_certificate())
        return "authentication";
    return (X509_get_key_usage(certificate.native()) & KU_NON_REPUDIATION) != 0 ? "signature"
                                                                                : "other";
}

/// Why a module finds nothing, as PC/SC tells it.
[[noreturn]] void throw_obstacle()
{
    agent::Presence presence;
    constexpr auto patience = 2s; // for the reader monitor's first word
    const pcsc::Monitor monitor{[&](const pcsc::Snapshot& now) { presence.update(now); }};
    const auto until = std::chrono::steady_clock::now() + patience;
    auto obstacle = presence.obstacle();
    while (obstacle == Errc::no_service && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(20ms);
        obstacle = presence.obstacle();
    }
    const auto code = obstacle.value_or(Errc::card_unsupported);
    const auto text =
        std::string{stable_code(code)} + ' ' + std::string{explain(code, locale_language())};
    if (code == Errc::no_service)
        throw AgentAbsent{text};
    throw AgentRefused{std::string{stable_code(code)},
                       std::string{explain(code, locale_language())}};
}

std::vector<Found> look(const Options& options)
{
    if (const auto reason = agent::unsafe_reason(options.module); !reason.empty())
        throw WrongUsage{"--module: " + options.module + ' ' + reason};
    const auto on_tokens =
        pkcs11::Module{agent::worker_path(), options.module}.certificates({});
    if (!on_tokens)
        throw on_tokens.error();
    const auto now = SystemClock{}.now();
    std::vector<Found> found;
    for (const auto& one : *on_tokens) {
        const auto certificate = x509::Certificate::from_der(one.der);
        if (!certificate)
            continue;
        const auto holder = x509::holder_of(*certificate);
        const auto left = std::chrono::floor<std::chrono::days>(certificate->not_after() - now);
        found.push_back({one, *certificate, holder ? std::optional{*holder} : std::nullopt,
                         usage_of(*certificate), left.count()});
    }
    if (found.empty())
        throw_obstacle();
    return found;
}

boost::json::object to_json(const Found& found)
{
    boost::json::object object{{"usage", found.usage}, {"holder", nullptr}};
    if (found.holder)
        object["holder"] = ctl::to_json(*found.holder);
    object["subject"] = found.certificate.subject();
    object["issuer"] = found.certificate.issuer();
    object["not_before"] = to_number(found.certificate.not_before());
    object["not_after"] = to_number(found.certificate.not_after());
    object["days_left"] = found.days_left;
    object["sha256"] = to_lower_hex(found.certificate.sha256());
    object["reader"] = found.on_token.reader;
    object["tries_left"] = found.on_token.tries_left;
    return object;
}

/// Words in one of two languages.
class Printer {
public:
    explicit Printer(bool french) noexcept : french_{french} {}
    std::string_view say(std::string_view fr, std::string_view en) const
    {
        return french_ ? fr : en;
    }
    void line(std::string_view fr, std::string_view en, const std::string& value) const
    {
        constexpr std::size_t width = 16; // characters, none of which takes two columns
        auto name = std::string{say(fr, en)};
        const auto continued = std::ranges::count_if(
            name, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; });
        name.resize(width + static_cast<std::size_t>(continued), ' ');
        std::cout << "  " << name << value << '\n';
    }
    void print(const Found& found) const;

private:
    void print(const x509::Holder& holder) const;
    std::string usage(std::string_view usage) const;
    std::string id_kind(const std::string& kind) const;
    bool french_;
};

std::string Printer::usage(std::string_view usage) const
{
    return std::string{usage == "authentication" ? say("s'authentifier", "to authenticate")
                       : usage == "signature" ? say("signer des documents", "to sign documents")
                                              : say("autre", "other")};
}

std::string Printer::id_kind(const std::string& kind) const
{
    struct Row {
        std::string_view kind, fr, en;
    };
    constexpr Row rows[] = {
        {"rpps", "RPPS", "RPPS"},
        {"adeli", "ADELI", "ADELI"},
        {"finess", "FINESS", "FINESS"},
        {"siren", "SIREN", "SIREN"},
        {"siret", "SIRET", "SIRET"},
        {"cabinet_rpps", "cabinet, RPPS", "practice, RPPS"},
        {"cabinet_adeli", "cabinet, ADELI", "practice, ADELI"},
    };
    for (const auto& row : rows)
        if (row.kind == kind)
            return std::string{say(row.fr, row.en)};
    return std::string{say("autre", "other")};
}

void Printer::print(const x509::Holder& holder) const
{
    line("Titulaire", "Holder", holder.given_names + ' ' + holder.surname);
    line("Identifiant", "Identifier", holder.id + " (" + id_kind(holder.id_kind) + ')');
    const auto labelled = [](const x509::CodedLabel& coded) {
        return coded.label + " (" + coded.code + ')';
    };
    if (holder.profession)
        line("Profession", "Profession", labelled(*holder.profession));
    if (holder.speciality)
        line("Spécialité", "Speciality", labelled(*holder.speciality));
    auto card = holder.card_type ? std::string{x509::name_of(*holder.card_type)} : "?";
    if (!holder.card_number.empty())
        card += ' ' + holder.card_number;
    if (holder.product_category && *holder.product_category != 0)
        card += say(" (de test ou logiciel)", " (test card or software)");
    line("Carte", "Card", card);
}

void Printer::print(const Found& found) const
{
    std::cout << say("Certificat pour ", "Certificate ") << usage(found.usage) << '\n';
    if (found.holder)
        print(*found.holder);
    else
        line("Titulaire", "Holder", found.certificate.subject());
    line("Valable", "Valid",
         std::string{say("du ", "from ")} + date_of(found.certificate.not_before()) +
             std::string{say(" au ", " until ")} + date_of(found.certificate.not_after()));
    const auto days = std::to_string(found.days_left);
    line("Reste", "Left",
         found.days_left < 0 ? std::string{say("rien : périmé", "nothing: out of date")}
                             : days + std::string{say(" jours", " days")});
    line("Émetteur", "Issuer", found.certificate.issuer());
    line("SHA-256", "SHA-256", to_hex(found.certificate.sha256(), ':'));
    line("Lecteur", "Reader", found.on_token.reader);
}

int run(const Options& options)
{
    const auto found = look(options);
    if (options.json) {
        boost::json::array list;
        for (const auto& one : found)
            list.push_back(to_json(one));
        std::cout << boost::json::serialize(
                         boost::json::object{{"certificates", std::move(list)}})
                  << '\n';
        return exit_done;
    }
    const Printer printer{locale_language() == "fr"};
    for (const auto& one : found)
        printer.print(one);
    return exit_done;
}

} // namespace

Run declare_cert(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.footer("Wants no agent and no code: it reads the card through the module itself.");
    app.add_option("--module", options->module, "PKCS #11 module, absolute path")
        ->capture_default_str();
    app.add_flag("--json", options->json, "one JSON object");
    return [options] { return run(*options); };
}

} // namespace cps::ctl
