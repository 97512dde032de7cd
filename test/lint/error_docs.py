"""docs/errors.md against the code.

    python3 test/lint/error_docs.py    rewrites the agent's part from src/base/error_table.cpp
"""

import re

from tree import ROOT

DOCUMENT = ROOT / "docs/errors.md"
TABLE = ROOT / "src/base/error_table.cpp"
REFUSALS = ROOT / "include/cps/verify/refusal.hpp"
BEGIN = "<!-- from src/base/error_table.cpp, by test/lint/error_docs.py -->"
END = "<!-- end -->"

ROW = re.compile(r'Row\{Errc::(\w+), "(\w+)", (\d+),\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)"\}')
SECTION = re.compile(r"^### `(\w+)`.*\n((?:(?!#).*\n?)*)", re.MULTILINE)


def agent_rows(text=None):
    """(code, HTTP status, English, French) of each error that crosses the HTTP interface."""
    text = TABLE.read_text() if text is None else text
    rows = [(stable, int(status), en, fr) for _, stable, status, en, fr in ROW.findall(text)]
    if len(rows) != text.count("Row{Errc::"):
        raise ValueError("error_table.cpp has a row that this script cannot read")
    return rows


def agent_part(rows):
    parts = [BEGIN, ""]
    for code, status, en, fr in rows:
        parts += [f"### `{code}` (HTTP {status})", "", f"- **fr** {fr}", f"- **en** {en}", ""]
    return "\n".join([*parts, END])


def refusal_codes():
    """The enumerators of verify::Refusal, whose names are the codes."""
    body = re.search(r"enum class Refusal \{(.*?)\};", REFUSALS.read_text(), re.DOTALL)
    return re.findall(r"^\s*(\w+),", body.group(1), re.MULTILINE)


def split():
    """The document before, inside (marks included) and after the agent's part."""
    text = DOCUMENT.read_text()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    return text[:begin], text[begin:end], text[end:]


def sections(markdown):
    """Code to body, for each `### `code`` heading; in order."""
    return SECTION.findall(markdown)


if __name__ == "__main__":
    before, _, after = split()
    DOCUMENT.write_text(before + agent_part(agent_rows()) + after)
