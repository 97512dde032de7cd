#!/usr/bin/env python3
"""Writes C++ that holds files as octets: embed.py OUTPUT HEADER NAMESPACE FUNCTION FILE..."""
import pathlib
import sys

output, header, namespace, function, *files = sys.argv[1:]
parts = [f'#include "{header}"\n\n#include <array>\n\nnamespace {namespace} {{\nnamespace {{\n']
rows = []
for number, name in enumerate(files):
    octets = pathlib.Path(name).read_bytes()
    listed = ",".join(f"'\\x{octet:02x}'" for octet in octets)
    parts.append(f"constexpr char file_{number}[] = {{{listed}}};\n")
    rows.append(f'    {{"{pathlib.Path(name).name}", {{file_{number}, sizeof file_{number}}}}},\n')
parts.append(f"constexpr std::array<web::BuiltInFile, {len(files)}> all{{{{\n{''.join(rows)}}}}};\n")
parts.append(
    f"}} // namespace\n\nstd::span<const web::BuiltInFile> {function}() noexcept\n{{\n    return all;\n}}\n\n"
    f"}} // namespace {namespace}\n"
)
pathlib.Path(output).write_text("".join(parts))
