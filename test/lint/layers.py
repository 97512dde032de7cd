"""Who may include whom, as ARCHITECTURE.md has it; the list is transitive."""

import re
from pathlib import PurePosixPath

from tree import CODE_SUFFIXES, files, shown

MAY_INCLUDE = {
    "base": set(),
    "apdu": {"base"},
    "pcsc": {"apdu"},
    "card": {"apdu", "x509"},
    "crypto": {"base"},
    "x509": {"crypto"},
    "token": {"crypto", "x509"},
    "verify": {"token", "x509"},
    "http": {"base"},
    "pkcs11_client": {"base", "x509"},
    "web": set(),
    "agent": {"broker", "http", "token", "crypto", "pkcs11_client", "pcsc", "web"},
    "broker": {"base"},
    "poster": {"token"},
    "guard": {"pcsc"},
    "gate": {"http", "verify", "token", "x509"},
    "pkcs11": {"card", "pcsc", "crypto", "x509"},
}
# Reached through others by the rule above, yet not to be named by these.
NEVER = {"agent": {"apdu", "card"}, "pkcs11": {"http", "token"}}

# Foreign headers, and the only modules that see them. Tools and tests are free.
CONFINED = (
    (re.compile(r"(PCSC/)?(winscard|wintypes|pcsclite|reader)\.h"), {"pcsc"}),
    (re.compile(r"openssl/"), {"crypto", "x509"}),
    (re.compile(r"boost/beast"), {"http"}),
    (re.compile(r"hiredis/"), {"verify"}),
    (re.compile(r"curl/"), {"poster"}),
    (re.compile(r"systemd/"), {"agent"}),
    (re.compile(r"idn2\.h"), {"agent"}),
    # OpenSSL's objects as owners: ours, but as good as OpenSSL itself.
    (re.compile(r"cps/crypto/openssl\.hpp"), {"crypto", "x509"}),
)
FREE = {"tools", "test"}
# Directly in include/cps: C headers of shared libraries, and whose they are.
C_HEADERS = {"cps.h": "verify"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def closure(module):
    """What `module` may include, itself too."""
    reached, waiting = {module}, [module]
    while waiting:
        for other in MAY_INCLUDE[waiting.pop()] - reached:
            reached.add(other)
            waiting.append(other)
    return (reached | {"base"}) - NEVER.get(module, set())


def module_of(path):
    """The module that a file belongs to, by its place in the tree."""
    parts = PurePosixPath(path).parts
    if parts[0] == "include":
        return parts[2] if len(parts) > 3 else C_HEADERS.get(parts[-1])
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else None
    return parts[0]


def fault_of(module, path, quote, header, root):
    """Why this #include breaks the rules; None if it does not."""
    for pattern, owners in CONFINED:
        if pattern.match(header) and module not in owners:
            return f"{header} is for {' and '.join(sorted(owners))} alone"
    parts = header.split("/")
    if parts[0] == "cps":
        if len(parts) > 2 and parts[1] not in closure(module):
            return f"{module} may not include {header}"
    elif quote == '"' and not (root / path).parent.joinpath(header).is_file():
        return f"{header} is private to another folder"
    return None


def faults(root):
    """`file:line: why` for each #include that breaks the rules."""
    found = []
    for source in files(CODE_SUFFIXES, root=root):
        path = shown(source, root)
        module = module_of(path)
        if module in FREE:
            continue
        if module not in MAY_INCLUDE:
            found.append(f"{path}: no layer is called {module}")
            continue
        for number, line in enumerate(source.read_text().splitlines(), 1):
            if match := INCLUDE.match(line):
                if why := fault_of(module, path, *match.groups(), root):
                    found.append(f"{path}:{number}: {why}")
    return found
