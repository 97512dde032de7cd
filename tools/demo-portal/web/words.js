// All that the page says, in both languages.

const FR = {
  title: "Portail de démonstration", brand: "Portail de démonstration", skip: "Aller au contenu",
  fictitious: "Patients fictifs. Aucune donnée réelle.",
  other: "English", logout: "Se déconnecter", loginTitle: "Connexion", login: "Identifiant", password: "Mot de passe",
  enter: "Se connecter", cardTag: "carte CPS exigée",
  lead: "Consultez les droits d'un patient. Le mot de passe ne suffit pas : chaque consultation est signée par votre carte, pour ce patient seulement.",
  nir: "Numéro de sécurité sociale (15 chiffres)", look: "Consulter", examples: "Exemples fictifs :", cancel: "Annuler",
  closed: "La porte reste fermée", signed: "Consultation signée par votre carte.",
  born: "Né(e) le", number: "Numéro", scheme: "Régime", until: "Droits ouverts jusqu'au", illness: "Affection de longue durée",
  complementary: "Complémentaire santé solidaire", physician: "Médecin traitant", yes: "oui", no: "non",
  stages: {
    asking: "Demande au portail…",
    searching: "Recherche de l'agent CPS sur ce poste…",
    card: "Suivez la fenêtre de l'agent CPS : vérifiez le nom du portail, puis tapez le code de votre carte.",
    checking: "Le portail vérifie la preuve de la carte…",
  },
  errors: {
    agent_not_found: "L'agent CPS n'a pas été trouvé sur ce poste, ou ce portail n'y est pas enregistré.",
    cancelled: "Consultation annulée.",
    nir_malformed: "Le numéro doit compter 15 chiffres.",
    internal: "Une erreur inattendue est survenue.",
    network: "Le portail ne répond pas.",
  },
  tries: (n) => ` Essais restants : ${n}.`,
};

const EN = {
  title: "Demo portal", brand: "Demo portal", skip: "Skip to content",
  fictitious: "Fictitious patients. No real data.",
  other: "Français", logout: "Sign out", loginTitle: "Sign in", login: "User name", password: "Password",
  enter: "Sign in", cardTag: "CPS card required",
  lead: "Look up a patient's rights. A password is not enough: each look-up is signed by your card, for this patient alone.",
  nir: "Social security number (15 digits)", look: "Look up", examples: "Fictitious examples:", cancel: "Cancel",
  closed: "The door stays closed", signed: "Look-up signed by your card.",
  born: "Born", number: "Number", scheme: "Scheme", until: "Rights open until", illness: "Long-term illness",
  complementary: "Complementary cover", physician: "Physician", yes: "yes", no: "no",
  stages: {
    asking: "Asking the portal…",
    searching: "Looking for the CPS agent on this computer…",
    card: "Follow the CPS agent's window: check the portal's name, then type your card's code.",
    checking: "The portal checks the card's proof…",
  },
  errors: {
    agent_not_found: "No CPS agent was found on this computer, or it does not know this portal.",
    cancelled: "Look-up cancelled.",
    nir_malformed: "The number has 15 digits.",
    internal: "Something unexpected happened.",
    network: "The portal does not answer.",
  },
  tries: (n) => ` Tries left: ${n}.`,
};

/** @param {string} language "fr" or "en" */
export const wordsIn = (language) => (language === "fr" ? FR : EN);
