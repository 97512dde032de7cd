#include "answers.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace cps::portal {
namespace {

// clang-format off
constexpr ProblemRow problems[] = {
    {Problem::not_found, 404, "not_found",
     "Cette page n'existe pas.", "There is no such page."},
    {Problem::method_refused, 405, "method_refused",
     "Cette méthode n'est pas acceptée ici.", "This method is not accepted here."},
    {Problem::host_refused, 421, "host_refused",
     "Ce serveur ne répond pas sous ce nom.", "This server does not answer to that name."},
    {Problem::origin_refused, 403, "origin_refused",
     "La demande ne vient pas d'une page du portail.", "The request does not come from a page of this portal."},
    {Problem::media_type_refused, 415, "media_type_refused",
     "Le portail n'accepte que du JSON.", "The portal accepts JSON alone."},
    {Problem::bad_request, 400, "bad_request",
     "La demande est mal formée.", "The request is malformed."},
    {Problem::login_required, 401, "login_required",
     "Connectez-vous d'abord.", "Sign in first."},
    {Problem::login_refused, 401, "login_refused",
     "Identifiant ou mot de passe incorrect.", "Wrong user name or password."},
    {Problem::rate_limited, 429, "rate_limited",
     "Trop d'essais : patientez un peu.", "Too many tries: wait a little."},
    {Problem::overloaded, 503, "overloaded",
     "Le portail est très demandé : réessayez dans un instant.", "The portal is busy: try again in a moment."},
    {Problem::card_required, 401, "card_required",
     "Cette consultation demande votre carte CPS et son code.", "This look-up wants your CPS card and its code."},
    {Problem::patient_unknown, 404, "patient_unknown",
     "Aucun patient (fictif) n'a ce numéro.", "No (fictitious) patient has this number."},
};

/// What the person can do about a refused token; other codes share the last row.
struct Advice {
    std::string_view code, french, english;
};
constexpr Advice advices[] = {
    {"account_mismatch", "Cette carte n'est pas celle du titulaire de ce compte.", "This card does not belong to the holder of this account."},
    {"cert_revoked", "Cette carte a été mise en opposition.", "This card has been revoked."},
    {"cert_expired", "Cette carte est arrivée à expiration.", "This card has expired."},
    {"card_type_refused", "Ce type de carte n'ouvre pas cette fonction.", "This kind of card does not open this feature."},
    {"cert_untrusted", "Cette carte n'a pas été émise par une autorité reconnue ici.", "This card was not issued by an authority trusted here."},
    {"nonce_unknown", "Cette preuve a déjà servi ou n'est pas de cette session : recommencez.", "This proof was used already or is not of this session: start again."},
    {"nonce_stale", "La réponse de la carte est venue trop tard : recommencez.", "The card's answer came too late: start again."},
    {"token_expired", "La réponse de la carte est venue trop tard : recommencez.", "The card's answer came too late: start again."},
    {"limit_reached", "Trop de demandes restées sans réponse : patientez deux minutes.", "Too many unanswered challenges: wait two minutes."},
    {"store_unavailable", "Le portail ne peut pas vérifier la carte en ce moment.", "The portal cannot check the card at the moment."},
    {"", "La preuve faite par la carte a été refusée.", "The card's proof was refused."},
};
// clang-format on

http::Response problem_response(unsigned status, std::string_view code, std::string_view detail,
                                boost::json::object more)
{
    more.insert(
        {{"type", "about:blank"}, {"status", status}, {"code", code}, {"detail", detail}});
    http::Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    response.body = boost::json::serialize(more);
    return response;
}

} // namespace

const ProblemRow& row_of(Problem problem) noexcept
{
    return *std::ranges::find(problems, problem, &ProblemRow::problem);
}

http::Response json(unsigned status, const boost::json::object& body)
{
    http::Response response;
    response.status = status;
    response.content_type = "application/json";
    response.body = boost::json::serialize(body);
    return response;
}

http::Response problem(Problem problem, std::string_view language, boost::json::object more)
{
    const auto& row = row_of(problem);
    return problem_response(row.status, row.code, language == "fr" ? row.french : row.english,
                            std::move(more));
}

http::Response refusal(unsigned status, std::string_view code, std::string_view language,
                       boost::json::object more)
{
    const auto* advice = std::ranges::find(advices, code, &Advice::code);
    if (advice == std::end(advices))
        --advice;
    return problem_response(status, code, language == "fr" ? advice->french : advice->english,
                            std::move(more));
}

} // namespace cps::portal
