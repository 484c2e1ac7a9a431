#!/usr/bin/env python3
"""Shows that tools/check_semantics.py finds every way in which page and tests can differ, with file and line."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
from check_semantics import check  # noqa: E402

HEAD = '| id | rule | case |\n|---|---|---|\n'
PAGE = HEAD + '| A1 | One. | one is one |\n| A2 | Two. | *planned* |\n| A3 | Three. | one is one; unit: u is u |\n'
TESTS = '// Cases.\nCONFORMANCE_CASE("one is one") {\n}\n'


class CheckSemantics(unittest.TestCase):
    def problems(self, page=PAGE, tests=TESTS, model=''):
        with tempfile.TemporaryDirectory() as folder:
            files = {
                'docs/semantics.md': page,
                'tests/conformance/a.cpp': tests,
                'tests/unit/u.cpp': 'TEST_CASE("u is u", "[tag]") {}\n',
                'tests/sim/s.cpp': 'TEST_CASE("s is s") {}\n',
                'tests/windows/w.cpp': 'TEST_CASE("w is w") {}\n',
                'tests/parity/p.cpp': 'TEST_CASE("p is p") {}\n',
                'docs/simulator.md': HEAD.replace('| id | rule |', '| line | what |') + model,
            }
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check(Path(folder))[0]

    def finds(self, where, what, **files):
        problems = self.problems(**files)
        self.assertEqual(len(problems), 1, problems)
        self.assertTrue(problems[0].startswith(where) and what in problems[0], problems)

    def test_page_and_tests_that_agree(self):
        self.assertEqual(self.problems(), [])

    def test_a_rule_whose_case_does_not_exist(self):
        self.finds('docs/semantics.md:6', 'no case "two is two"', page=PAGE + '| A4 | Four. | two is two |\n')
        self.finds('docs/semantics.md:6', 'tests/unit', page=PAGE + '| A4 | Four. | unit: one is one |\n')

    def test_cases_of_one_twin(self):
        row = '| A4 | Four. | sim: s is s; windows: w is w |\n'
        self.assertEqual(self.problems(page=PAGE + row), [])
        self.finds('docs/semantics.md:6', 'tests/sim', page=PAGE + row.replace('sim: s', 'sim: w'))
        self.finds('docs/semantics.md:6', 'tests/windows', page=PAGE + row.replace('w is w', 's is s'))

    def test_the_page_of_the_model(self):
        self.assertEqual(self.problems(model='| 1 | P. | parity: p is p; sim: s is s |\n'), [])
        self.finds('docs/simulator.md:3', 'tests/parity', model='| 1 | P. | parity: q is q |\n')

    def test_a_case_that_no_rule_names(self):
        self.finds('tests/conformance/a.cpp:4', '"u is u"', tests=TESTS + 'TEST_CASE("u is " "u") {}\n')

    def test_a_case_in_a_comment_does_not_exist(self):
        found = self.problems(tests='// CONFORMANCE_CASE("one is one")\n')
        where = [text.split(': no case')[0] for text in found]
        self.assertEqual(where, ['docs/semantics.md:3: A1', 'docs/semantics.md:5: A3'])

    def test_two_of_one_name(self):
        self.finds('docs/semantics.md:6', 'line 3 already', page=PAGE + '| A1 | Again. | *planned* |\n')
        self.finds('tests/conformance/a.cpp:4', 'already', tests=TESTS + 'TEST_CASE("one is one") {}\n')

    def test_a_rule_without_a_case(self):
        self.finds('docs/semantics.md:6', 'columns', page=PAGE + '| A4 | Four. | |\n')
        self.finds('docs/semantics.md:6', 'members of .NET', page=PAGE + '| A4 | Four. | *not offered* |\n')
        self.assertEqual(self.problems(page=PAGE + '| `Member` | Why. | *not offered* |\n'), [])

    def test_a_page_without_rules(self):
        self.finds('docs/semantics.md:1', 'no rules', page='Nothing.\n', tests='// None.\n')


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed, 0 skipped', flush=True)
    sys.exit(1 if failed or not outcome.testsRun else 0)
