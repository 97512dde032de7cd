"""The source tree as the lint tests see it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where our own C++ lives; whatever else lies about (build folders, node_modules) is not ours.
CODE_FOLDERS = ("include", "src", "pkcs11", "tools", "test")
CODE_SUFFIXES = (".cpp", ".hpp", ".c", ".h")
OTHER_SOURCE_SUFFIXES = (".py", ".js", ".mjs", ".sh")
NOT_OURS = {"node_modules", "__pycache__", "corpus"}


def files(suffixes, folders=CODE_FOLDERS, root=ROOT):
    """Every file of ours with one of those suffixes, in a stable order."""
    found = []
    for folder in folders:
        for path in (root / folder).rglob("*"):
            parts = path.relative_to(root).parts
            if path.suffix in suffixes and not NOT_OURS.intersection(parts) and path.is_file():
                found.append(path)
    return sorted(found)


def shown(path, root=ROOT):
    return path.relative_to(root).as_posix()
