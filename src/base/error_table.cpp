#include "cps/base/error.hpp"

#include <array>
#include <cstddef>

namespace cps {
namespace {

struct Row {
    Errc code;
    const char* stable;
    unsigned status;
    const char* en;
    const char* fr;
};

// One row an error: the code and status that programs read, the words that people read.
// clang-format off
constexpr std::array rows{
    Row{Errc::origin_refused, "origin_refused", 403,
        "This site is not registered with the card agent. Ask your IT department to register it.",
        "Ce site n'est pas enregistré auprès de l'agent de carte. Demandez à votre service informatique de l'enregistrer."},
    Row{Errc::wrong_user, "wrong_user", 403,
        "The request comes from another user of this computer. Use the browser of your own session.",
        "La demande vient d'un autre utilisateur de cet ordinateur. Utilisez le navigateur de votre propre session."},
    Row{Errc::host_refused, "host_refused", 421,
        "The request was addressed to another host name than this computer's own. Reach the agent at 127.0.0.1.",
        "La demande visait un autre nom que celui de cet ordinateur. Joignez l'agent à l'adresse 127.0.0.1."},
    Row{Errc::not_found, "not_found", 404,
        "There is nothing at this address. Check the portal's version of the agent interface.",
        "Il n'y a rien à cette adresse. Vérifiez la version de l'interface utilisée par le portail."},
    Row{Errc::method_refused, "method_refused", 405,
        "This address does not take that method. Check the portal's use of the agent interface.",
        "Cette adresse n'accepte pas cette méthode. Vérifiez l'usage que le portail fait de l'interface."},
    Row{Errc::media_type_refused, "media_type_refused", 415,
        "The request must be application/json. Check the portal's use of the agent interface.",
        "La demande doit être en application/json. Vérifiez l'usage que le portail fait de l'interface."},
    Row{Errc::bad_request, "bad_request", 400,
        "The request is not well formed. Check the portal's use of the agent interface.",
        "La demande est mal formée. Vérifiez l'usage que le portail fait de l'interface."},
    Row{Errc::too_large, "too_large", 413,
        "The request is too large. Heads may have 8 KiB, bodies 64 KiB.",
        "La demande est trop grande. L'en-tête est limité à 8 Kio, le corps à 64 Kio."},
    Row{Errc::timeout, "timeout", 408,
        "The request did not arrive in time. Try again.",
        "La demande n'est pas arrivée à temps. Recommencez."},
    Row{Errc::overloaded, "overloaded", 503,
        "Too many connections are open. Close tabs that use the card and try again.",
        "Trop de connexions sont ouvertes. Fermez des onglets qui utilisent la carte et recommencez."},
    Row{Errc::rate_limited, "rate_limited", 429,
        "A request of this site was refused a moment ago. Wait a little before trying again.",
        "Une demande de ce site vient d'être refusée. Attendez un peu avant de recommencer."},
    Row{Errc::busy, "busy", 409,
        "Another request is waiting for an answer on this computer. Answer it first.",
        "Une autre demande attend une réponse sur cet ordinateur. Répondez-y d'abord."},
    Row{Errc::no_service, "no_service", 503,
        "The smart-card service (pcscd) is not running. Start it, or ask your IT department.",
        "Le service de cartes à puce (pcscd) n'est pas démarré. Démarrez-le ou demandez à votre service informatique."},
    Row{Errc::no_reader, "no_reader", 503,
        "No card reader was found. Plug in the reader.",
        "Aucun lecteur de carte n'a été trouvé. Branchez le lecteur."},
    Row{Errc::no_card, "no_card", 503,
        "There is no card in the reader. Insert your professional card.",
        "Il n'y a pas de carte dans le lecteur. Insérez votre carte professionnelle."},
    Row{Errc::card_unsupported, "card_unsupported", 422,
        "The card in the reader is not a health professional card that the agent can use. Insert your professional card.",
        "La carte présente dans le lecteur n'est pas une carte de la famille CPS utilisable. Insérez votre carte professionnelle."},
    Row{Errc::card_mute, "card_mute", 503,
        "The card does not answer. Check which way it is inserted, and clean its chip.",
        "La carte ne répond pas. Vérifiez son sens d'insertion et nettoyez sa puce."},
    Row{Errc::card_in_use, "card_in_use", 409,
        "Another program holds the card. Close it, or wait until it is done.",
        "Un autre logiciel utilise la carte. Fermez-le ou attendez qu'il ait terminé."},
    Row{Errc::card_removed, "card_removed", 503,
        "The card was removed. Insert it again and repeat what you were doing.",
        "La carte a été retirée. Insérez-la de nouveau et recommencez votre action."},
    Row{Errc::certificate_expired, "certificate_expired", 422,
        "The card's certificate is out of date. Ask ANS for a new card.",
        "Le certificat de la carte n'est plus en cours de validité. Demandez une nouvelle carte à l'ANS."},
    Row{Errc::certificate_missing, "certificate_missing", 422,
        "The card has no authentication certificate. Ask ANS for another card.",
        "La carte n'a pas de certificat d'authentification. Demandez une autre carte à l'ANS."},
    Row{Errc::consent_refused, "consent_refused", 403,
        "You refused the request. Nothing was sent.",
        "Vous avez refusé la demande. Rien n'a été transmis."},
    Row{Errc::pin_cancelled, "pin_cancelled", 403,
        "The code was not entered. Nothing was sent.",
        "Le code n'a pas été saisi. Rien n'a été transmis."},
    Row{Errc::pin_timeout, "pin_timeout", 408,
        "The code was not entered in time. Repeat what you were doing.",
        "Le code n'a pas été saisi à temps. Recommencez votre action."},
    Row{Errc::pin_wrong, "pin_wrong", 422,
        "The code is wrong. Check it before you try again: the card locks after three wrong codes.",
        "Le code est faux. Vérifiez-le avant de recommencer : la carte se bloque après trois codes faux."},
    Row{Errc::pin_blocked, "pin_blocked", 422,
        "The card's code is locked. Unlock it with the unlocking code (PUK) that came with the card.",
        "Le code de la carte est bloqué. Débloquez-le avec le code de déblocage (PUK) reçu avec la carte."},
    Row{Errc::puk_wrong, "puk_wrong", 422,
        "The unlocking code (PUK) is wrong. Check it before you try again: a few wrong ones lock the card for good.",
        "Le code de déblocage (PUK) est faux. Vérifiez-le avant de recommencer : après quelques codes faux, la carte est bloquée définitivement."},
    Row{Errc::puk_blocked, "puk_blocked", 422,
        "The card's unlocking code (PUK) is locked, too. Ask ANS for a new card.",
        "Le code de déblocage (PUK) est bloqué, lui aussi. Demandez une nouvelle carte à l'ANS."},
    Row{Errc::pin_change_unsupported, "pin_change_unsupported", 422,
        "The card's software or the reader cannot change or unlock this card's code. Use cps-pkcs11.so, the agent's own module, and a reader without a keypad.",
        "Le logiciel de la carte ou le lecteur ne peut ni changer ni débloquer le code de cette carte. Utilisez cps-pkcs11.so, le module de l'agent, et un lecteur sans clavier."},
    Row{Errc::screen_locked, "screen_locked", 403,
        "The screen is locked. Unlock it and repeat what you were doing.",
        "L'écran est verrouillé. Déverrouillez-le et recommencez votre action."},
    Row{Errc::challenge_stale, "challenge_stale", 400,
        "This challenge was answered already, or the session wants a new one. Reload the portal's page.",
        "Il a déjà été répondu à cette demande, ou la session doit être renouvelée. Rechargez la page du portail."},
    Row{Errc::challenge_invalid, "challenge_invalid", 400,
        "The portal's challenge is not well formed. Tell the portal.",
        "La demande du portail est mal formée. Signalez-le au portail."},
    Row{Errc::feature_unknown, "feature_unknown", 400,
        "The portal did not register the feature that it asks for. Tell your IT department.",
        "Le portail n'a pas déclaré la fonction qu'il demande. Signalez-le à votre service informatique."},
    Row{Errc::session_ended, "session_ended", 404,
        "The card session has ended. Open the feature again.",
        "La session de la carte est terminée. Ouvrez de nouveau la fonction."},
    Row{Errc::limit_reached, "limit_reached", 429,
        "The session has reached its number of look-ups. Open the feature again.",
        "La session a atteint son nombre de consultations. Ouvrez de nouveau la fonction."},
    Row{Errc::module_failed, "module_failed", 503,
        "The card's software (PKCS #11 module) failed. Try again; if it stays, run `cpsctl doctor`.",
        "Le logiciel de la carte (module PKCS #11) a échoué. Recommencez ; si cela persiste, lancez « cpsctl doctor »."},
    Row{Errc::internal, "internal", 500,
        "The agent failed. Try again; its log says more.",
        "L'agent a échoué. Recommencez ; son journal en dit plus."},
};
// clang-format on

const Row& row_of(Errc code) noexcept
{
    for (const auto& row : rows)
        if (row.code == code)
            return row;
    return rows.back(); // the lower layers' own
}

constexpr bool in_order()
{
    for (std::size_t i = 0; i != rows.size(); ++i)
        for (std::size_t j = 0; j != i; ++j)
            if (rows[i].code == rows[j].code)
                return false;
    return rows.back().code == Errc::internal;
}
static_assert(in_order(), "one row an error, internal last");

} // namespace

std::string_view stable_code(Errc code) noexcept
{
    return row_of(code).stable;
}

unsigned http_status(Errc code) noexcept
{
    return row_of(code).status;
}

std::string_view explain(Errc code, std::string_view language) noexcept
{
    return language == "fr" ? row_of(code).fr : row_of(code).en;
}

} // namespace cps
