#!/usr/bin/env python3
"""Shows that tools/tally counts cases, and that nothing that went wrong in a test program is lost in the count."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TALLY = Path(__file__).resolve().parent / 'tally'


class Tally(unittest.TestCase):
    def rows(self, *tests):
        """(rows of the table, lines of the skipped) for a JUnit file with these test cases."""
        with tempfile.TemporaryDirectory() as folder:
            junit, table, skipped = (Path(folder, name) for name in ('junit.xml', 'table', 'skipped'))
            junit.write_bytes(('<testsuite>' + ''.join(tests) + '</testsuite>').encode('latin-1'))
            subprocess.run([sys.executable, TALLY, 'dev', junit, table, skipped], check=True, stdout=subprocess.DEVNULL)
            return table.read_text().splitlines(), skipped.read_text().splitlines()

    def counts(self, inside, status='run'):
        rows, _ = self.rows(f'<testcase name="unit" status="{status}" time="1.5">{inside}</testcase>')
        name, passed, failed, skipped, seconds = rows[0].split('\t')
        self.assertEqual((name, seconds), ('dev: unit', '1.5'))
        return int(passed), int(failed), int(skipped)

    def test_the_program_s_own_count_is_taken(self):
        self.assertEqual(self.counts('<system-out>x\n12 passed, 0 failed, 3 skipped\n</system-out>'), (12, 0, 3))

    def test_a_program_that_counts_nothing_is_one_case(self):
        self.assertEqual(self.counts('<system-out>fine</system-out>'), (1, 0, 0))
        self.assertEqual(self.counts('<failure/><system-out>bad</system-out>', 'fail'), (0, 1, 0))

    def test_a_failure_after_the_count_is_not_lost(self):
        out = '<system-out>12 passed, 0 failed, 0 skipped\nleak</system-out>'
        self.assertEqual(self.counts('<failure/>' + out, 'fail'), (12, 1, 0))

    def test_a_program_that_was_not_run_or_ran_no_case_failed(self):
        self.assertEqual(self.counts('<system-out/>', 'notrun'), (0, 1, 0))
        self.assertEqual(self.counts('<skipped message="Unable to find executable"/>', 'notrun'), (0, 1, 0))
        self.assertEqual(self.counts('<system-out>0 passed, 0 failed, 0 skipped</system-out>'), (0, 1, 0))

    def test_skipped_cases_are_listed_by_name(self):
        out = '<system-out>skipped: a case: needs root\n1 passed, 0 failed, 1 skipped</system-out>'
        _, skipped = self.rows(f'<testcase name="unit" status="run" time="0">{out}</testcase>')
        self.assertEqual(skipped, ['skipped: dev: unit: a case: needs root'])

    def test_bytes_that_xml_forbids_do_no_harm(self):
        self.assertEqual(self.counts('<system-out>\x01\xff\x00\n2 passed, 0 failed, 0 skipped</system-out>'), (2, 0, 0))

    def test_no_results_are_an_error(self):
        for text in ('', '<testsuite/>', None):
            with tempfile.TemporaryDirectory() as folder:
                junit = Path(folder, 'junit.xml')
                if text is not None:
                    junit.write_text(text)
                command = [sys.executable, TALLY, 'dev', junit, Path(folder, 'a'), Path(folder, 'b')]
                done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
                self.assertEqual(done.returncode, 1)


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed, 0 skipped', flush=True)
    sys.exit(1 if failed or not outcome.testsRun else 0)
