"""The data dictionary, `docs/data-dictionary.md`, written from the declarations of the files.

`python -m mapping.dictionary` prints it; with a path it writes it there; `--check PATH` compares and ends with 1
when the file is out of date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mapping.columns import Table
from mapping.csvfile import CsvLimits
from mapping.tables import TABLES

_INTRODUCTION = """\
# Data dictionary

The files that `custody import` reads, in the order in which it reads them. Written by `python -m mapping.dictionary`
from the declarations in `mapping/tables`; do not edit it by hand. `custody template` writes files to start from, and
`custody post TABLE COLUMN=VALUE...` checks one row by the same rules.

## Form of every file

- UTF-8, with or without a byte order mark; lines ended by LF or by CRLF throughout, the last line too.
- The first line names the columns, in any order; an optional column may be left out. Fields are separated by commas
  and quoted with `"` where they hold a comma or a quote, which is doubled. A field stays on one line.
- Nothing is trimmed or guessed: `1,000.00`, `1e3`, `+1`, `.5`, `3/4/26` are problems, not numbers or dates.
- An optional last line `# rows: 123` states the number of rows, so that a file that was cut is noticed.
- Quantities are plain decimals in whole units (`12.5`), never more decimals than the asset has, at most
  2^256 - 1 base units. Times carry their zone; they are kept in UTC.
- Ids are ASCII. Names are compared in Unicode form NFC; invisible characters are refused.
- At most {bytes_max} bytes and {rows_max} rows a file, {line_bytes_max} bytes a line,
  {field_characters_max} characters a field. `[imports]` in `custody.toml` sets the first two.

All problems are listed with file, line, column, value and reason, and nothing is stored when there is one. A file
that was imported before is skipped. A row that was recorded before in the same words says nothing new and is counted
as unchanged; the same row twice in one import is a problem.
"""


def render() -> str:
    """The whole data dictionary as Markdown."""
    limits = CsvLimits()
    introduction = _INTRODUCTION.format(
        bytes_max=f"{limits.bytes_max:,}",
        rows_max=f"{limits.rows_max:,}",
        line_bytes_max=f"{limits.line_bytes_max:,}",
        field_characters_max=f"{limits.field_characters_max:,}",
    )
    return introduction + "".join(_section(table) for table in TABLES)


def _section(table: Table[Any]) -> str:
    return "\n" + "\n".join(_lines(table)) + "\n"


def _lines(table: Table[Any]) -> Iterator[str]:
    yield f"## {table.file_name}"
    yield ""
    yield table.meaning
    yield ""
    yield "| Column | Required | Meaning | Unit | Rule | Example |"
    yield "|---|---|---|---|---|---|"
    for position, column in enumerate(table.columns):
        example = next((row[position] for row in table.examples if row[position]), "")
        cells = (
            f"`{column.name}`",
            "yes" if column.required else "no",
            column.meaning,
            column.unit,
            column.rule,
            f"`{example}`" if example else "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
    yield f"- Natural key: {', '.join(f'`{column}`' for column in table.key_columns)}."
    yield f"- The same key again with other content: {table.on_change.value}."
    for note in table.notes:
        yield f"- {note}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, write or check the dictionary; see the module."""
    parser = argparse.ArgumentParser(prog="python -m mapping.dictionary")
    parser.add_argument("path", nargs="?", type=Path, help="write it there instead of printing it")
    parser.add_argument("--check", action="store_true", help="compare with the file at PATH instead of writing it")
    given = parser.parse_args(arguments)
    text = render()
    if given.path is None:
        sys.stdout.write(text)
    elif not given.check:
        given.path.write_text(text, encoding="utf-8")
    elif not given.path.is_file() or given.path.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{given.path} is out of date; run: python -m mapping.dictionary {given.path}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
