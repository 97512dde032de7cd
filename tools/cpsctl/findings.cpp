#include "findings.hpp"

#include <array>

namespace cps::ctl {
namespace {

constexpr std::array rows{
    FaultRow{Fault::configuration, "configuration", Severity::error,
             "Une ligne de la configuration n'est pas comprise.",
             "A line of the configuration is not understood.",
             "Corrigez cette ligne, puis redémarrez l'agent.",
             "Mend that line, then restart the agent."},
    FaultRow{Fault::service_absent, "service_absent", Severity::error,
             "Le service des lecteurs de cartes (pcscd) ne répond pas.",
             "The smart-card service (pcscd) does not answer.",
             "Installez le paquet pcscd, puis : sudo systemctl enable --now pcscd.socket",
             "Install the package pcscd, then: sudo systemctl enable --now pcscd.socket"},
    FaultRow{
        Fault::service_refused, "service_refused", Severity::error,
        "Le service des lecteurs (pcscd) refuse cet utilisateur.",
        "The smart-card service (pcscd) refuses this user.",
        "Une règle polkit doit accorder org.debian.pcsc-lite.access_pcsc et access_card à "
        "cet utilisateur ; une session à distance n'y a pas droit par défaut.",
        "A polkit rule must grant org.debian.pcsc-lite.access_pcsc and access_card to this "
        "user; a remote session has neither by default."},
    FaultRow{Fault::no_reader, "no_reader", Severity::error,
             "Aucun lecteur de cartes n'est branché.", "No card reader is connected.",
             "Branchez un lecteur ; s'il l'est déjà, essayez une autre prise, et vérifiez que "
             "son pilote (paquet libccid) est installé.",
             "Connect a reader; if one is, try another port, and see that its driver (package "
             "libccid) is installed."},
    FaultRow{Fault::no_card, "no_card", Severity::hint, "Aucune carte n'est dans un lecteur.",
             "No card is in a reader.",
             "Insérez la carte, puce en avant, et relancez cpsctl doctor pour l'examiner.",
             "Insert the card, chip first, and run cpsctl doctor again to have it looked at."},
    FaultRow{
        Fault::reader_in_use, "reader_in_use", Severity::error,
        "Un autre programme garde ce lecteur pour lui seul.",
        "Another program keeps this reader for itself.",
        "Fermez les autres logiciels qui lisent la carte (logiciel métier, composant de la "
        "Sécurité sociale), ou redémarrez-les.",
        "Close the other software that reads the card, or restart it."},
    FaultRow{Fault::card_unknown, "card_unknown", Severity::error,
             "La carte de ce lecteur n'est pas une carte CPS connue.",
             "The card in this reader is no known CPS card.",
             "Insérez une carte de la famille CPS (CPS, CPF, CPE ou CPA).",
             "Insert a card of the CPS family (CPS, CPF, CPE or CPA)."},
    FaultRow{Fault::card_mute, "card_mute", Severity::error, "La carte ne répond pas.",
             "The card does not answer.",
             "Retirez la carte, essuyez la puce, insérez-la à fond. Si rien ne change, essayez "
             "un autre lecteur ; une carte muette partout doit être remplacée.",
             "Take the card out, wipe the chip, push it in fully. If nothing changes, try "
             "another reader; a card that is mute everywhere must be replaced."},
    FaultRow{Fault::module_failed, "module_failed", Severity::error,
             "Le module PKCS #11 ne se charge pas, ou échoue.",
             "The PKCS #11 module does not load, or fails.",
             "Corrigez « module » dans agent.toml, ou retirez la ligne pour prendre le module "
             "livré avec l'agent.",
             "Mend \"module\" in agent.toml, or take the line out to have the module that "
             "comes with the agent."},
    FaultRow{Fault::certificate_missing, "certificate_missing", Severity::error,
             "Aucun certificat d'authentification n'a été lu sur la carte.",
             "No authentication certificate was read from the card.",
             "Essayez le module livré avec l'agent (sans « module » dans agent.toml) ; si la "
             "carte n'en porte pas, demandez-en une autre à l'ANS.",
             "Try the module that comes with the agent (no \"module\" in agent.toml); if the "
             "card has none, ask ANS for another card."},
    FaultRow{Fault::certificate_expired, "certificate_expired", Severity::error,
             "Le certificat de la carte a expiré.", "The card's certificate has expired.",
             "La carte doit être remplacée : adressez-vous à l'ANS. Vérifiez aussi la date de "
             "cet ordinateur.",
             "The card must be replaced: turn to ANS. See also whether this computer's date is "
             "right."},
    FaultRow{Fault::certificate_expiring, "certificate_expiring", Severity::warning,
             "Le certificat de la carte expire bientôt.",
             "The card's certificate expires soon.",
             "La nouvelle carte arrive d'ordinaire d'elle-même ; sinon, adressez-vous à l'ANS.",
             "The new card usually comes by itself; else turn to ANS."},
    FaultRow{Fault::clock_off, "clock_off", Severity::error,
             "L'horloge de cet ordinateur est fausse.", "This computer's clock is wrong.",
             "Réglez-la, ou laissez-la se régler : sudo timedatectl set-ntp true",
             "Set it, or let it be set: sudo timedatectl set-ntp true"},
    FaultRow{Fault::agent_absent, "agent_absent", Severity::error,
             "L'agent ne tourne pas dans cette session.",
             "The agent does not run in this session.",
             "Lancez cps-agent, ou : systemctl --user start cps-agent",
             "Start cps-agent, or: systemctl --user start cps-agent"},
    FaultRow{
        Fault::port_taken, "port_taken", Severity::warning,
        "Un autre programme occupe le port 27743, où les pages cherchent l'agent.",
        "Another program holds port 27743, where pages look for the agent.",
        "Trouvez-le (ss -ltnp 'sport = :27743') : un programme inconnu à cette place peut "
        "tromper les pages. Terminez-le, puis redémarrez l'agent.",
        "Find it (ss -ltnp 'sport = :27743'): an unknown program in this place may deceive "
        "pages. End it, then restart the agent."},
    FaultRow{Fault::broker_missed, "broker_missed", Severity::warning,
             "L'agent ne reçoit pas les pages du port 27743, que tient cps-agent-broker.",
             "The agent does not get the pages of port 27743, which cps-agent-broker holds.",
             "Redémarrez l'agent : systemctl --user restart cps-agent",
             "Restart the agent: systemctl --user restart cps-agent"},
    FaultRow{Fault::agent_outdated, "agent_outdated", Severity::warning,
             "L'agent qui tourne est plus ancien que le programme installé.",
             "The agent that runs is older than what is installed.",
             "Redémarrez-le : systemctl --user restart cps-agent",
             "Restart it: systemctl --user restart cps-agent"},
    FaultRow{
        Fault::journal_broken, "journal_broken", Severity::warning,
        "Le journal de l'agent est altéré : une ligne a été changée, ou retirée.",
        "The agent's journal is damaged: a line was changed, or taken away.",
        "Gardez une copie des fichiers journal.* de ce dossier et montrez-la à votre "
        "informaticien ; au prochain jeton l'agent met le journal altéré de côté, et ce "
        "message "
        "disparaît quand les fichiers journal.broken.* sont déplacés ailleurs.",
        "Keep a copy of the files journal.* of this folder and show it to whoever looks after "
        "this computer; with the next token the agent sets the damaged journal aside, and this "
        "message goes when the files journal.broken.* are moved elsewhere."},
    FaultRow{
        Fault::login_unheard, "login_unheard", Severity::warning,
        "Le verrouillage de l'écran, la veille et la déconnexion ne terminent pas les sessions "
        "de la carte.",
        "Locking the screen, sleep and log-out do not end the card's sessions.",
        "L'agent n'entend pas le gestionnaire de sessions (systemd-logind, par le bus "
        "système). "
        "Démarrez-les, ouvrez une session graphique par le gestionnaire de connexion, puis : "
        "systemctl --user restart cps-agent. D'ici là, retirez la carte en partant.",
        "The agent does not hear the login manager (systemd-logind, by the system bus). Start "
        "them, log in through the login screen, then: systemctl --user restart cps-agent. "
        "Until then, take the card out when you leave."},
};

constexpr bool in_order()
{
    for (std::size_t i = 0; i != rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].fault) != i)
            return false;
    return rows.size() == static_cast<std::size_t>(Fault::login_unheard) + 1;
}
static_assert(in_order(), "a row for each fault, in their order");

} // namespace

std::span<const FaultRow> fault_rows() noexcept
{
    return rows;
}

const FaultRow& row_of(Fault fault) noexcept
{
    return rows[static_cast<std::size_t>(fault)];
}

} // namespace cps::ctl
