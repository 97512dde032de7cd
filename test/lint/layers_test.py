import tempfile
import unittest
from pathlib import Path

import layers
from tree import ROOT


class Layers(unittest.TestCase):
    def test_no_file_includes_what_its_layer_may_not_see(self):
        self.assertEqual([], layers.faults(ROOT))

    def test_every_folder_under_src_and_include_has_its_row_in_the_table(self):
        for parent in ("src", "include/cps"):
            for folder in (ROOT / parent).iterdir():
                if folder.is_dir() and any(folder.glob("*.[ch]pp")):
                    self.assertIn(folder.name, layers.MAY_INCLUDE)


class TheCheckItself(unittest.TestCase):
    def fault(self, path, line):
        """What the check says of a tree with one file of one line."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.parent.mkdir(parents=True)
            file.write_text(line + "\n")
            return layers.faults(Path(folder))

    def test_an_include_across_the_layers_is_seen(self):
        for path, line in (
            ("src/http/a.cpp", "#include <winscard.h>"),
            ("src/card/a.cpp", "#include <PCSC/winscard.h>"),
            ("include/cps/card/a.hpp", "#include <PCSC/wintypes.h>"),
            ("src/token/a.cpp", "#include <openssl/evp.h>"),
            ("pkcs11/a.cpp", "# include <openssl/evp.h>"),
            ("src/token/a.cpp", '#include "cps/crypto/openssl.hpp"'),
            ("src/gate/a.cpp", "#include <boost/beast/http.hpp>"),
            ("src/agent/a.cpp", '#include "cps/card/card.hpp"'),
            ("src/agent/a.cpp", '#include "cps/apdu/command.hpp"'),
            ("src/agent/a.cpp", '#include "cps/verify/verifier.hpp"'),
            ("pkcs11/a.cpp", '#include "cps/http/server.hpp"'),
            ("pkcs11/a.cpp", '#include "cps/token/values.hpp"'),
            ("src/base/a.cpp", '#include "cps/crypto/digest.hpp"'),
            ("src/token/a.cpp", '#include "../verify/private.hpp"'),
            ("src/odd/a.cpp", "#include <string>"),
        ):
            with self.subTest(path=path, line=line):
                self.assertEqual(1, len(self.fault(path, line)))

    def test_an_include_down_the_layers_is_let_through(self):
        for path, line in (
            ("src/pcsc/a.cpp", "#include <winscard.h>"),
            ("src/x509/a.cpp", "#include <openssl/evp.h>"),
            ("src/x509/a.cpp", '#include "cps/crypto/openssl.hpp"'),
            ("src/gate/a.cpp", '#include "cps/crypto/digest.hpp"'),
            ("src/http/a.cpp", "#include <boost/beast/http.hpp>"),
            ("tools/a/a.cpp", "#include <openssl/evp.h>"),
            ("test/unit/a/a.cpp", '#include "cps/card/card.hpp"'),
        ):
            with self.subTest(path=path, line=line):
                self.assertEqual([], self.fault(path, line))


if __name__ == "__main__":
    unittest.main()
