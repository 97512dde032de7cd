"""What the person is told before the PIN: remembered consents, and origins that nobody registered."""
import hashlib
import json
import pathlib
import stat
import time
import unittest

import rig
from agent_process import MODULE, ORIGIN, PORTALS, Agent, challenge, claims_of, cpsctl
from agent_with_card import WithCard

rig.isolate()

READ = {"htm": "GET", "htu": ORIGIN + "/api/patients", "rid": "A" * 43}
UNKNOWN = "https://unknown.example"


class Consents(WithCard):
    def setUp(self):
        super().setUp()
        self.fresh_agent()

    def restart(self, portals=None, settings=""):
        """The same folder, so the same consents."""
        folder = self.agent.folder
        self.agent.stop()
        type(self).agent = Agent(folder, portals=portals, settings=settings)
        self.wait_for_status("present")

    def login(self, *answers):
        """The one dialog of a login that succeeds."""
        self.agent.will_answer(*(answers or ("pin 1234",)))
        answer = self.agent.token()
        self.assertEqual(answer.status, 200, answer.body)
        return self.agent.dialogs()[-1]["desc"]

    def consents(self):
        told = cpsctl(self.agent, "consents", "--json")
        self.assertEqual(told.returncode, 0, told.stderr)
        return json.loads(told.stdout)["consents"]

    def test_the_second_dialog_is_shorter_and_wants_the_pin_all_the_same(self):
        first = self.login()
        second = self.login()
        self.assertIn("votre identifiant national", first)
        self.assertIn("retenu 90 jours", first)
        self.assertIn("Vous avez déjà donné cet accord", second)
        self.assertNotIn("votre identifiant national", second)
        for part in ("amelipro", ORIGIN, "vous identifier", "tapez votre code porteur"):
            self.assertIn(part, second)
        self.assertEqual(len(self.pin_attempts()), 2)

    def test_a_consent_covers_its_feature_and_no_other(self):
        self.login()
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token(challenge("infopatient.read"), **READ).status, 200)
        shown = self.agent.dialogs()[0]["desc"]
        self.assertIn("votre code est demandé à chaque fois", shown)
        self.assertIn("Le site reçoit votre nom", shown)
        self.assertEqual([c["features"] for c in self.consents()], [["login"], ["infopatient.read"]])

    def test_a_session_is_explained_once_and_its_limit_told_each_time(self):
        self.agent.will_answer("pin 1234", "pin 1234")
        for _ in range(2):
            answer = self.agent.call("POST", "/v1/sessions", {"challenge": challenge("infopatient.list", ttl=600)})
            self.assertEqual(answer.status, 200, answer.body)
        first, second = (shown["desc"] for shown in self.agent.dialogs())
        self.assertIn("Le site reçoit votre nom", first)
        self.assertNotIn("Le site reçoit votre nom", second)
        for shown in (first, second):
            self.assertIn("200 consultations au plus", shown)
        self.assertEqual(len(self.pin_attempts()), 2)

    def test_only_a_completed_dialog_is_remembered(self):
        self.agent.will_answer("cancel")
        self.assertEqual(self.agent.token().code, "pin_cancelled")
        self.assertEqual(self.consents(), [])
        self.restart()
        self.assertIn("votre identifiant national", self.login("pin 9999", "pin 1234"))
        self.assertEqual(len(self.consents()), 1)

    def test_consents_outlive_the_agent_in_a_file_of_the_persons(self):
        self.login()
        self.restart()
        self.assertIn("déjà donné", self.login())
        path = self.agent.folder / "state" / "cps-agent" / "consents.json"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertNotIn("1234", path.read_text().replace(str(self.consents()[0]["given"]), ""))

    def test_a_changed_portal_file_asks_in_full_again(self):
        self.login()
        renamed = {**PORTALS, "amelipro.toml": PORTALS["amelipro.toml"].replace('fr = "amelipro"', 'fr = "Amelipro 2"')}
        self.restart(portals=renamed)
        self.assertFalse(self.consents()[0]["valid"])
        self.assertIn("à redonner", cpsctl(self.agent, "consents").stdout)
        self.assertIn("votre identifiant national", self.login())
        self.assertTrue(self.consents()[0]["valid"])

    def test_the_configuration_says_how_long_a_consent_lasts(self):
        self.restart(settings="consent_days = 0\n")
        self.assertNotIn("retenu", self.login())
        self.assertIn("votre identifiant national", self.login())
        self.assertEqual(self.consents(), [])

    def test_a_damaged_file_is_set_aside_and_told(self):
        self.login()
        path = self.agent.folder / "state" / "cps-agent" / "consents.json"
        self.agent.stop()
        path.write_text('{"v":1,"consents":[{"or')
        self.restart()
        self.assertIn("set aside", (self.agent.folder / "agent.log").read_text())
        kept = list(path.parent.glob("consents.json.bad-*"))
        self.assertEqual([one.read_text() for one in kept], ['{"v":1,"consents":[{"or'])
        self.assertIn("votre identifiant national", self.login())

    def test_consents_are_listed_and_revoked(self):
        self.login()
        one, = self.consents()
        self.assertEqual((one["origin"], one["until"] - one["given"]), (ORIGIN, 90 * 86400))
        self.assertIn(f"{ORIGIN}: login, jusqu'au ", cpsctl(self.agent, "consents").stdout)
        self.assertEqual(cpsctl(self.agent, "consents", "revoke").returncode, 2)
        self.assertEqual(cpsctl(self.agent, "consents", "revoke", ORIGIN, "--all").returncode, 2)
        self.assertEqual(cpsctl(self.agent, "consents", "revoke", "amelipro").returncode, 2)
        none = cpsctl(self.agent, "consents", "revoke", "https://other.example")
        self.assertEqual((none.returncode, none.stderr.split()[0]), (1, "not_found"))
        self.assertEqual(cpsctl(self.agent, "consents", "revoke", ORIGIN).returncode, 0)
        self.assertEqual(self.consents(), [])
        self.assertIn("votre identifiant national", self.login())
        self.assertEqual(cpsctl(self.agent, "consents", "revoke", "--all").returncode, 0)
        self.assertEqual(cpsctl(self.agent, "consents", "revoke", "--all").returncode, 0)
        self.assertEqual(self.consents(), [])
        self.assertEqual(cpsctl(self.agent, "consents", "--socket", "/nonexistent").returncode, 3)


    def test_the_status_page_shows_and_revokes_them(self):
        self.login()
        ticket = cpsctl(self.agent, "ui", "--print").stdout.strip().partition("#")[2]
        sent = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": None}

        def page(method, path, body=None, **headers):
            return self.agent.call(method, path, body, {**sent, "CPS-Agent": "1", **headers}, origin=None)

        key = page("POST", "/page/open", **{"CPS-Ticket": ticket}).json["key"]
        keyed = {"CPS-Page": key}
        one, = page("GET", "/page/state", **keyed).json["consents"]
        self.assertEqual((one["origin"], one["features"]), (ORIGIN, ["s'identifier"]))
        self.assertEqual(page("POST", "/page/consents/revoke", {"origin": ORIGIN}).status, 403)
        self.assertEqual(len(self.consents()), 1)
        self.assertEqual(page("POST", "/page/consents/revoke", {"origin": "x"}, **keyed).status, 400)
        self.assertEqual(page("POST", "/page/consents/revoke", {"origin": ORIGIN}, **keyed).status, 200)
        self.assertEqual(self.consents(), [])


class UnknownOrigins(WithCard):
    def setUp(self):
        super().setUp()
        self.agent.stop()
        type(self).agent = Agent(self.machine.directory / f"unknown-{time.monotonic_ns()}",
                                 settings='unknown_origins = "login"\nallow_http_loopback = true\n')
        self.wait_for_status("present")

    def test_an_unknown_origin_logs_in_in_words_that_name_what_is_disclosed_each_time(self):
        for _ in range(2):
            given = challenge()
            self.agent.will_answer("pin 1234")
            answer = self.agent.token(given, origin=UNKNOWN)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], UNKNOWN)
            claims = claims_of(answer.json["token"])
            self.assertEqual((claims["aud"], claims["feat"]), (UNKNOWN, ["login"]))
            shown = self.agent.dialogs()[0]["desc"]
            for part in ("Un site non enregistré", UNKNOWN, "votre nom", "votre identifiant national",
                         "numéro de votre carte"):
                self.assertIn(part, shown)
            self.assertNotIn("retenu", shown)
        self.assertEqual(json.loads(cpsctl(self.agent, "consents", "--json").stdout)["consents"], [])

    def test_an_unknown_origin_reaches_nothing_else(self):
        self.agent.will_answer("pin 1234")
        for method, path in (("GET", "/v1/hello"), ("GET", "/v1/status"), ("POST", "/v1/web-eid"), ("GET", "/v1/none"),
                             ("POST", "/v1/tokens?x=1")):
            with self.subTest(path=path):
                answer = self.agent.call(method, path, {} if method == "POST" else None, origin=UNKNOWN)
                self.assertEqual((answer.status, answer.code), (403, "origin_refused"))
                self.assertNotIn("Access-Control-Allow-Origin", answer.headers)
        request = {"htm": "GET", "htu": UNKNOWN + "/api", "rid": "A" * 43}
        for given, members in ((challenge("infopatient.read"), request), (challenge("infopatient.read"), {}),
                               (challenge("login", feat=["login", "infopatient.read"]), {}), (challenge(), request)):
            answer = self.agent.token(given, origin=UNKNOWN, **members)
            self.assertEqual((answer.status, answer.code), (400, "feature_unknown"))
        self.assertEqual(self.agent.dialogs(), [])

    def test_an_unknown_origin_over_http_is_refused_even_on_loopback(self):
        for origin in ("http://127.0.0.1:9", "http://localhost:9", "http://unknown.example", "null"):
            answer = self.agent.token(origin=origin)
            self.assertEqual((answer.status, answer.code), (403, "origin_refused"))
        made = cpsctl(self.agent, "token", "--origin", "http://127.0.0.1:9", "--nonce", challenge()["nonce"])
        self.assertEqual((made.returncode, made.stderr.split()[0]), (1, "origin_refused"))

    def test_look_alikes_of_registered_portals_are_flagged_in_words(self):
        for origin, words in {
            "https://xn--melipro-1fg.example": ("lettres d'un autre alphabet", f"ressemble à {ORIGIN}"),
            "https://ame1ipro.example": (f"ressemble à {ORIGIN}",),
            "https://amelipro.example.login.test": (f"ressemble à {ORIGIN}",),
            "https://xn--ab-g4t.example": ("pas un nom international valide",),
        }.items():
            with self.subTest(origin=origin):
                self.agent.will_answer("pin 1234")
                self.assertEqual(self.agent.token(origin=origin).status, 200)
                shown = self.agent.dialogs()[0]["desc"]
                self.assertTrue(shown.partition("\n\n")[2].startswith("ATTENTION"), shown)  # below the phrase
                for part in (*words, origin):
                    self.assertIn(part, shown)
                self.assertTrue(shown.isprintable() or shown.replace("\n", "").isprintable())
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token(origin="https://xn--caf-dma.example").status, 200)
        shown = self.agent.dialogs()[0]["desc"]
        self.assertIn("Se lit : café.example", shown)
        self.assertNotIn("ATTENTION", shown)


class Certificates(WithCard):
    def test_the_cards_certificates_are_told_in_words_without_an_agent_or_a_code(self):
        told = cpsctl(self.agent, "cert", "--module", MODULE, "--json")
        self.assertEqual(told.returncode, 0, told.stderr)
        found = json.loads(told.stdout)["certificates"]
        one, = [c for c in found if c["usage"] == "authentication"]
        card = pathlib.Path(rig.PKI / "cards" / self.CARD / "auth.der").read_bytes()
        self.assertEqual(one["sha256"], hashlib.sha256(card).hexdigest())
        self.assertEqual(one["holder"]["profession"]["label"], "Médecin")
        self.assertEqual(one["holder"]["id_kind"], "rpps")
        self.assertGreater(one["days_left"], 0)
        self.assertLess(one["not_before"], one["not_after"])

        words = cpsctl(self.agent, "cert", "--module", MODULE).stdout
        for part in ("s'authentifier", "Titulaire", one["holder"]["surname"], "RPPS", "Médecin (10)", "CPS", "Valable",
                     "jours", "Émetteur", "de test"):
            self.assertIn(part, words)
        self.agent.environment["LANG"] = "C"
        self.addCleanup(self.agent.environment.__setitem__, "LANG", "fr_FR.UTF-8")
        self.assertIn("to authenticate", cpsctl(self.agent, "cert", "--module", MODULE).stdout)
        self.assertEqual(self.pin_attempts(), [])

    def test_what_is_missing_is_told_by_its_code(self):
        self.card.remove()
        told = cpsctl(self.agent, "cert", "--module", MODULE)
        self.assertEqual((told.returncode, told.stderr.split()[0]), (1, "no_card"))
        self.card.insert()
        self.assertEqual(cpsctl(self.agent, "cert", "--module", "/nonexistent.so").returncode, 2)
        self.machine.stop_pcscd()
        self.addCleanup(self.machine.start_pcscd)
        told = cpsctl(self.agent, "cert", "--module", MODULE)
        self.assertEqual((told.returncode, told.stderr.split()[0]), (3, "no_service"))


class ExpiredCertificate(WithCard):
    CARD = "expiree-cps3"

    def test_a_certificate_out_of_date_is_told_so(self):
        found = json.loads(cpsctl(self.agent, "cert", "--module", MODULE, "--json").stdout)["certificates"]
        self.assertLess(min(c["days_left"] for c in found), 0)
        self.assertIn("périmé", cpsctl(self.agent, "cert", "--module", MODULE).stdout)


if __name__ == "__main__":
    unittest.main()
