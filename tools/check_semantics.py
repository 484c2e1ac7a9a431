#!/usr/bin/env python3
"""Compares docs/semantics.md and docs/simulator.md with the tests: tools/check_semantics.py [ROOT]

Every row's last column names test cases, separated by semicolons: conformance cases, or `unit: …`, `integration: …`,
`sim: …`, `parity: …`, `windows: …` for one of those folders; or it says *planned* or *not offered*. Reports, and fails for: a row whose
case does not exist, a conformance case that docs/semantics.md doesn't name, two rules or two cases of one name.
"""
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from cxx_text import without_comments  # noqa: E402

PAGE = 'docs/semantics.md'
MODEL_PAGE = 'docs/simulator.md'
FOLDERS = {'': 'tests/conformance'}
FOLDERS |= {name: f'tests/{name}' for name in ('unit', 'integration', 'sim', 'parity', 'windows')}
STATES = {'*planned*', '*not offered*'}
ID = re.compile(r'[A-Z][1-9]\d*$')
CASE = re.compile(r'\b\w*(?:TEST|CONFORMANCE)_CASE\w*\s*\(\s*(?:\w+\s*,\s*)?((?:"(?:\\.|[^"\\])*"\s*)+)')
LITERAL = re.compile(r'"((?:\\.|[^"\\])*)"')


def rows(page):
    """(line number, cells) of every row of every table that ends in a column `case`."""
    in_table = False
    for number, line in enumerate(page.splitlines(), 1):
        if not line.startswith('|'):
            in_table = False
            continue
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if cells[-1] == 'case':
            in_table = True
        elif in_table and not set(line) <= set('|-: '):
            yield number, cells


def cases(root, folder, problems):
    """{name: file:line} of the test cases below a folder."""
    found = {}
    for path in sorted((root / folder).rglob('*.cpp')):
        source = without_comments(path.read_text(), keep_strings=True)
        for match in CASE.finditer(source):
            name = ''.join(LITERAL.findall(match[1])).replace('\\"', '"')
            where = f'{path.relative_to(root).as_posix()}:{source.count(chr(10), 0, match.start()) + 1}'
            if name in found:
                problems.append(f'{where}: the case "{name}" stands at {found[name]} already; rename one')
            found.setdefault(name, where)
    return found


def check_row(page, number, cells, known, named, problems):
    where = f'{page}:{number}'
    if len(cells) != 3 or not all(cells):
        problems.append(f'{where}: {len([c for c in cells if c])} of 3 columns are filled; write name, rule and case')
        return
    if cells[-1] in STATES:
        if ID.match(cells[0]) and cells[-1] != '*planned*':
            problems.append(f'{where}: {cells[0]}: {cells[-1]} is for members of .NET; name a case or *planned*')
        return
    for text in (part.strip() for part in cells[-1].split(';')):
        prefix, colon, rest = text.partition(': ')
        kind, name = (prefix, rest) if colon and prefix in FOLDERS else ('', text)
        if name not in known[kind]:
            problems.append(f'{where}: {cells[0]}: no case "{name}" in {FOLDERS[kind]}; write it, or say *planned*')
        if kind == '':
            named.add(name)


def check(root):
    problems = []
    known = {kind: cases(root, folder, problems) for kind, folder in FOLDERS.items()}
    named, ids = set(), {}
    for number, cells in rows((root / PAGE).read_text()):
        check_row(PAGE, number, cells, known, named, problems)
        if ID.match(cells[0]):
            if cells[0] in ids:
                problems.append(f'{PAGE}:{number}: the rule {cells[0]} stands at line {ids[cells[0]]} already')
            ids.setdefault(cells[0], number)
    if (root / MODEL_PAGE).is_file():
        for number, cells in rows((root / MODEL_PAGE).read_text()):
            check_row(MODEL_PAGE, number, cells, known, set(), problems)
    if not ids:
        problems.append(f'{PAGE}:1: no rules found; each is a row `| id | rule | case |`')
    for name, where in known[''].items():
        if name not in named:
            problems.append(f'{where}: no rule in {PAGE} names the case "{name}"; add it to a rule, or write one')
    return problems, len(ids), len(named)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems, rules, named = check(root)
    for problem in problems:
        print(problem)
    print(f'semantics: {rules} rules, {named} cases, {len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
