"""Programs of others that load our Cryptoki module: OpenSSH, NSS, GnuTLS, OpenSSL's engine in
curl, Java. CPS3 has neither PSS nor raw RSA, so TLS 1.3 is for CPS4."""

import os
import pathlib
import socket

import rig
from module_case import AUTHENTICATION_ID, MODULE, ModuleCase, run

rig.isolate()

TLS_PORT, SSH_PORT = 44330, 44322
REGISTERED_MODULES = "/usr/share/p11-kit/modules"
CERTIFICATE_LABEL = "Certificat d'Authentification CPS"
ID_IN_URI = "".join(f"%{octet:02x}" for octet in AUTHENTICATION_ID)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class ClientCase(ModuleCase):
    def must(self, *arguments, **options):
        code, output = run(*arguments, **options)
        self.assertEqual(code, 0, f"{arguments[0]}: {output}")
        return output

    def secret(self, name, text):
        path = self.file(name)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def start_tls_server(self, version):
        """openssl s_server that wants a certificate of the test hierarchy."""
        self.must("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                  "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                  "-keyout", self.file("server.key"), "-out", self.file("server.pem"))
        trust = self.file("trust.pem")
        trust.write_text((rig.PKI / "trust.pem").read_text() +
                         (rig.PKI / "root.pem").read_text())
        server = self.machine.start("s_server", [
            "openssl", "s_server", "-accept", TLS_PORT, f"-{version}", "-www", "-Verify", "4",
            "-verify_return_error", "-partial_chain", "-CAfile", trust, "-key",
            self.file("server.key"), "-cert", self.file("server.pem")])
        # A connection of ours would be a failed handshake: the port is looked at in /proc.
        wanted = f":{TLS_PORT:04X} "
        tables = [pathlib.Path("/proc/net", name) for name in ("tcp", "tcp6")]
        rig.wait_until(lambda: server.must_run() or any(
            wanted in table.read_text() for table in tables), "the TLS server")
        return server

    def assert_card_holder_seen(self, server, output):
        """The page of s_server -www shows the client's certificate."""
        number = self.must("openssl", "x509", "-noout", "-serial", "-in",
                           self.certificate()).split("=")[1].strip()
        self.assertIn("Client certificate", output)
        shown = output.replace(":", "").upper()
        self.assertIn(number.upper(), shown, server.output())


class Tls12(ClientCase):
    VERSION, GNUTLS, NSS = "tls1_2", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "tls1.2:tls1.2"

    def try_gnutls(self):
        server = self.start_tls_server(self.VERSION)
        uri = f"pkcs11:id={ID_IN_URI}"
        output = self.must(
            "gnutls-cli", f"--provider={MODULE}", "--priority", self.GNUTLS, "--x509cafile",
            self.file("server.pem"), "--x509certfile", f"{uri};type=cert", "--x509keyfile",
            f"{uri};type=private", "-p", TLS_PORT, "--verify-hostname", "localhost", "127.0.0.1",
            data=b"GET / HTTP/1.0\r\n\r\n", environment={"GNUTLS_PIN": rig.PIN})
        self.assert_card_holder_seen(server, output)

    def engine_request(self, *options, environment=None):
        """curl by OpenSSL's engine: exit code and output."""
        pin = self.secret("engine-pin", rig.PIN)
        return run(
            "curl", "-sS", "--engine", "pkcs11", "--cacert", self.file("server.pem"),
            "--cert", self.certificate(), "--key-type", "ENG", "--key",
            f"pkcs11:id={ID_IN_URI};type=private?pin-source=file:{pin}", *options,
            f"https://localhost:{TLS_PORT}/",
            environment={"PKCS11_MODULE_PATH": str(MODULE), **(environment or {})})

    def try_nss(self):
        server = self.start_tls_server(self.VERSION)
        database = self.file("nss")
        database.mkdir()
        self.must("certutil", "-N", "-d", f"sql:{database}", "--empty-password")
        self.must("modutil", "-force", "-dbdir", f"sql:{database}", "-add", "CPS", "-libfile",
                  MODULE)
        password = self.secret("nss-pin", rig.PIN + "\n")
        request = self.file("request")
        request.write_bytes(b"GET / HTTP/1.0\r\n\r\n")
        listing = self.must("certutil", "-L", "-d", f"sql:{database}", "-h", "all", "-f",
                            password)
        nickname = next(line for line in listing.splitlines()
                        if CERTIFICATE_LABEL in line).split("  ")[0]
        output = self.must("tstclnt", "-h", "localhost", "-p", TLS_PORT, "-d",
                           f"sql:{database}", "-n", nickname, "-W", password, "-o", "-V",
                           self.NSS, "-A", request)  # it spins on a pipe that has ended
        self.assert_card_holder_seen(server, output)


class Cps3Tls12Test(Tls12):
    NEEDS = ("openssl", "gnutls-cli", "tstclnt", "curl")

    def test_gnutls_signs_in_over_tls_1_2(self):
        self.try_gnutls()

    def test_nss_signs_in_over_tls_1_2(self):
        self.try_nss()


    def test_curl_signs_in_with_the_engine_only_where_pss_is_switched_off(self):
        server = self.start_tls_server(self.VERSION)
        without_pss = self.file("openssl.cnf")
        without_pss.write_text(
            "openssl_conf = o\n[o]\nssl_conf = s\n[s]\nsystem_default = d\n[d]\n"
            "MaxProtocol = TLSv1.2\nSignatureAlgorithms = RSA+SHA256:ECDSA+SHA256\n"
            "ClientSignatureAlgorithms = RSA+SHA256\n")

        refused, _ = self.engine_request()
        code, output = self.engine_request(environment={"OPENSSL_CONF": str(without_pss)})

        self.assertNotEqual(refused, 0)
        self.assertEqual(code, 0, output)
        self.assert_card_holder_seen(server, output)


class Cps4Tls13Test(Tls12):
    CARD = "infirmiere-cps4"
    NEEDS = ("openssl", "gnutls-cli", "tstclnt", "curl")
    VERSION, GNUTLS, NSS = "tls1_3", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "tls1.3:tls1.3"

    def test_gnutls_signs_in_over_tls_1_3(self):
        self.try_gnutls()

    def test_nss_signs_in_over_tls_1_3(self):
        self.try_nss()

    def test_curl_signs_in_over_tls_1_3_with_the_engine(self):
        server = self.start_tls_server(self.VERSION)
        code, output = self.engine_request()

        self.assertEqual(code, 0, output)
        self.assert_card_holder_seen(server, output)


class OpenSshTest(ClientCase):
    NEEDS = ("ssh", "ssh-keygen")

    def test_openssh_signs_in_with_the_card(self):
        if not os.path.exists("/usr/sbin/sshd"):
            self.skipTest("sshd is not installed (openssh-server)")
        keys = self.must("ssh-keygen", "-D", MODULE)
        self.file("authorized").write_text("\n".join(
            line for line in keys.splitlines() if line.startswith("ssh-rsa")))
        self.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.file("host"))
        os.makedirs("/run/sshd", exist_ok=True)
        self.file("sshd_config").write_text(
            f"Port {SSH_PORT}\nListenAddress 127.0.0.1\nHostKey {self.file('host')}\n"
            f"AuthorizedKeysFile {self.file('authorized')}\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"PermitRootLogin yes\nPidFile {self.file('sshd.pid')}\n")
        server = self.machine.start("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f",
                                             self.file("sshd_config")])
        rig.wait_until(lambda: server.must_run() or listens(SSH_PORT), "sshd")
        askpass = self.secret("askpass", f"#!/bin/sh\necho {rig.PIN}\n")
        askpass.chmod(0o700)

        code, output = run(
            "ssh", "-F", "none", "-p", SSH_PORT, "-o", f"PKCS11Provider={MODULE}", "-o",
            "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.file('known')}", "-o",
            "IdentityFile=none", "root@127.0.0.1", "echo signed in",
            environment={"SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force",
                         "DISPLAY": "none", "SSH_AUTH_SOCK": ""})

        self.assertEqual(code, 0, output + server.output())
        self.assertIn("signed in", output)


class ToolTest(ClientCase):
    NEEDS = ("p11tool", "keytool")

    def test_p11tool_tests_a_signature(self):
        output = self.must(
            "p11tool", f"--provider={MODULE}", "--login", "--test-sign",
            f"pkcs11:id={ID_IN_URI};type=private", environment={"GNUTLS_PIN": rig.PIN})

        self.assertIn("ok", output)

    def test_p11_kit_finds_the_module_by_its_registration_file(self):
        registered = (rig.SOURCE_ROOT / "packaging/p11-kit/cps-pkcs11.module").read_text()
        self.assertIn("module: cps-pkcs11.so\n", registered)
        folder = self.file("modules")
        folder.mkdir()
        folder.joinpath("cps-pkcs11.module").write_text(
            registered.replace("module: cps-pkcs11.so", f"module: {MODULE}"))
        self.must("mount", "--bind", folder, REGISTERED_MODULES)  # in our own namespace
        self.addCleanup(lambda: self.must("umount", REGISTERED_MODULES))

        tokens = self.must("p11tool", "--list-token-urls")

        self.assertIn("CPS3v3-", tokens)

    def test_java_lists_the_card_and_signs_a_request(self):
        configuration = self.file("java.cfg")
        configuration.write_text(f"name = CPS\nlibrary = {MODULE}\nslotListIndex = 0\n")
        keytool = ("keytool", "-keystore", "NONE", "-storetype", "PKCS11", "-providerClass",
                   "sun.security.pkcs11.SunPKCS11", "-providerArg", configuration,
                   "-storepass:file", self.secret("java-pin", rig.PIN))

        listing = self.must(*keytool, "-list")
        request = self.must(*keytool, "-certreq", "-sigalg", "SHA256withRSA", "-alias",
                            CERTIFICATE_LABEL)

        self.assertIn("PrivateKeyEntry", listing)
        begin = request.index("-----BEGIN")
        verified = self.must("openssl", "req", "-verify", "-noout",
                             data=request[begin:].encode())
        self.assertIn("OK", verified)
