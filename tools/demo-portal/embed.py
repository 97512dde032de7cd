#!/usr/bin/env python3
"""Writes C++ that holds files as octets: embed.py OUTPUT FILE..."""
import pathlib
import sys

output, *files = sys.argv[1:]
parts = ['#include "built_in.hpp"\n\n#include <array>\n\nnamespace cps::portal {\nnamespace {\n']
rows = []
for number, name in enumerate(files):
    octets = pathlib.Path(name).read_bytes()
    listed = ",".join(f"'\\x{octet:02x}'" for octet in octets)
    parts.append(f"constexpr char file_{number}[] = {{{listed}}};\n")
    rows.append(f'    {{"{pathlib.Path(name).name}", {{file_{number}, sizeof file_{number}}}}},\n')
parts.append(f"constexpr std::array<BuiltInFile, {len(files)}> all{{{{\n{''.join(rows)}}}}};\n")
parts.append(
    "} // namespace\n\nstd::span<const BuiltInFile> built_in_files() noexcept\n{\n    return all;\n}\n\n"
    "} // namespace cps::portal\n"
)
pathlib.Path(output).write_text("".join(parts))
