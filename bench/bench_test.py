#!/usr/bin/env python3
"""Tests of what scripts/bench makes of its figures."""
import contextlib
import io
import json
import re
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import bench  # noqa: E402
import calls  # noqa: E402
import counts  # noqa: E402
import goals  # noqa: E402
import simulator  # noqa: E402
from measure import Point, ratio  # noqa: E402

POINT = Point('round_trip', 64, 1)


def samples(**cpu):
    return {who: [{'cpu': value, 'wall': value} for value in values] for who, values in cpu.items()}


class Ratios(unittest.TestCase):
    def test_a_round_that_was_disturbed_disturbs_both(self):
        self.assertAlmostEqual(ratio(samples(a=[11, 110, 11], b=[10, 100, 10]), 'a', 'b', 'cpu'), 1.1)

    def test_one_bad_sample_counts_for_nothing(self):
        self.assertAlmostEqual(ratio(samples(a=[11, 900, 11], b=[10, 10, 10]), 'a', 'b', 'cpu'), 1.1)


class Goals(unittest.TestCase):
    def judged(self, metric, limit, subject, **kinds):
        goal = goals.Goal('a goal', 'ours', 'theirs', POINT, metric, limit, **kinds)
        return bench.judge(goal, samples(ours=[subject], theirs=[10]))['met']

    def test_a_ratio_of_times_is_met_at_its_limit(self):
        self.assertTrue(self.judged(goals.CPU, 1.03, 10.3))
        self.assertFalse(self.judged(goals.CPU, 1.03, 10.4))

    def test_ahead_means_less(self):
        self.assertFalse(self.judged(goals.CPU, 1.0, 10, strict=True))
        self.assertTrue(self.judged(goals.CPU, 1.0, 9.9, strict=True))

    def test_a_rate_is_the_inverse_of_the_times(self):
        self.assertTrue(self.judged(goals.RATE, 5.0, 2.0, at_least=True))
        self.assertFalse(self.judged(goals.RATE, 5.0, 2.1, at_least=True))

    def test_what_isnt_built_is_skipped_by_name(self):
        class Program:
            contenders = ['raw', 'uv', 'twin.byte']

        chosen, absent = bench.selected_goals(Program, bench.parsed(['--goals']))
        judged = [goal for at_point in chosen.values() for goal in at_point]
        self.assertEqual({goal.baseline for goal in judged}, {'uv'})
        self.assertEqual(len(judged) + len(absent), len(goals.all_goals()))
        self.assertTrue(any('twin.byte against asio (asio not built here)' in line for line in absent))


class AtRest(unittest.TestCase):
    class Program:
        """Whose adaptive runtime takes so many microseconds a side more at rest than one that sleeps."""

        def __init__(self, more):
            self.more = more

        def call(self, command, wait, *_):
            cpu = 70_000 + (self.more * 1000 if wait == 'adaptive' else 0)
            return ''.join(f'{{"side": "{side}", "cpu_ns": {cpu}, "sleeps": 1.0}}\n' for side in ('server', 'client'))

    def met(self, more):
        return bench.judge_rest(self.Program(more), bench.parsed(['--goals', '--quick']))['met']

    def test_a_spin_of_each_side_is_all_that_an_adaptive_wait_may_take_more(self):
        self.assertTrue(self.met(-20))
        self.assertTrue(self.met(50))
        self.assertFalse(self.met(51))


class Simulator(unittest.TestCase):
    class Program:
        """Whose workloads have these values, one of each round, and one hash unless more are given."""

        def __init__(self, unit, values, hashes=('a',)):
            self.unit, self.values, self.hashes = unit, values, hashes

        def rounds(self, names, number):
            runs = [{'value': value, 'unit': self.unit, 'hash': self.hashes[i % len(self.hashes)]}
                    for i, value in enumerate(self.values[:number])]
            return {name: runs for name in names}

    def ran(self, name, program, judged=True):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            found, good = simulator.run(program, [name], len(program.values), judged)
        return found[name], good, said.getvalue()

    def test_a_rate_is_at_least_its_goal_and_memory_at_most(self):
        for name, unit, met, missed in (('seam_round_trips', '1/s', 4e6, 3.9e6), ('idle_connection', 'bytes', 1536, 1537)):
            found, good, said = self.ran(name, self.Program(unit, [met]))
            self.assertTrue(found['met'] and good and said.startswith('PASS'))
            found, good, said = self.ran(name, self.Program(unit, [missed]))
            self.assertFalse(found['met'] or good or not said.startswith('MISS'))

    def test_the_middle_run_counts(self):
        found, good, _ = self.ran('tiny_worlds', self.Program('1/s', [310e3, 90e3, 320e3]))
        self.assertEqual((found['value'], good), (310e3, True))

    def test_runs_that_differ_are_no_figure(self):
        _, good, said = self.ran('tiny_worlds', self.Program('1/s', [310e3, 310e3], hashes=('a', 'b')), judged=False)
        self.assertFalse(good)
        self.assertIn('otherwise from run to run', said)

    def test_figures_are_printed_in_units_that_can_be_read(self):
        self.assertEqual(simulator.GOALS['coroutine_steps'].bound('1/s'), '≥ 20 M/s')
        self.assertEqual(simulator.readable(301_234, '1/s'), '301,234 /s')
        self.assertEqual(simulator.GOALS['idle_connection'].bound('bytes'), '≤ 1,536 B')

    def test_each_workload_of_the_program_has_its_goal(self):
        header = (Path(__file__).parent / 'sim' / 'workloads.hpp').read_text()
        self.assertEqual(re.findall(r'workload\{"(\w+)"', header), list(simulator.GOALS))


class Arguments(unittest.TestCase):
    def refusal(self, *words):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
            bench.parsed(words)
        self.assertEqual(ended.exception.code, 2)
        return said.getvalue()

    def test_what_can_not_be_meant_is_refused_with_its_reason(self):
        self.assertIn('no regular expression', self.refusal('--only', '('))
        self.assertIn("can't be written", self.refusal('--json', '/nowhere/at/all.json'))
        self.assertIn("can't be written", self.refusal('--json', '/'))
        self.assertIn('--update goes with --check', self.refusal('--update'))
        self.assertIn('--check goes with --update only', self.refusal('--check', '--goals'))
        self.assertIn('--check goes with --update only', self.refusal('--check', '--sim'))
        self.assertIn('unrecognized arguments: --gaols', self.refusal('--gaols'))

    def test_a_pattern_that_nothing_matches_is_told_from_one_that_selects(self):
        class Program:
            contenders = ['raw', 'twin.byte']

        def in_question(*words):
            return bench.is_in_question(Program, bench.parsed(words))

        self.assertTrue(in_question('--only', 'round_trip of 64 B on one'))
        self.assertTrue(in_question('--only', 'blocking.byte idle'))
        self.assertTrue(in_question('--goals', '--only', 'at rest'))
        self.assertFalse(in_question('--only', 'round-trip'))
        self.assertFalse(in_question('--goals', '--only', 'round_trip of 2 B'))


class Guard(unittest.TestCase):
    def compared(self, before, now):
        tally = counts.Tally()
        tally.compare('a path', before, now)
        return tally.failed == 0

    def test_a_rise_over_three_percent_fails(self):
        self.assertTrue(self.compared(1000, 1030))
        self.assertFalse(self.compared(1000, 1031))
        self.assertTrue(self.compared(1000, 500))

    def test_a_path_without_a_stored_figure_fails(self):
        self.assertFalse(self.compared(None, 1000))

    def test_more_looks_than_the_clock_allows_fail(self):
        tally = counts.Tally()
        tally.hold_against_the_clock('a path', (100, 100))
        tally.hold_against_the_clock('one that has none', None)
        self.assertEqual((tally.passed, tally.failed), (1, 0))
        tally.hold_against_the_clock('a path', (100, 101))
        self.assertEqual(tally.failed, 1)

    def test_each_hot_path_has_its_figures_and_nothing_else_is_stored(self):
        stored = json.loads(counts.STORED.read_text())['paths']
        self.assertEqual(list(stored), [counts.name_of(path) for path in counts.PATHS])
        for figures in stored.values():
            self.assertGreater(figures[counts.INSTRUCTIONS], 0)
            self.assertGreater(figures[counts.CALLS][calls.TOTAL], 0)

    def test_calls_that_wait_in_each_way_and_frames_are_among_the_hot_paths(self):
        names = {counts.name_of(path) for path in counts.PATHS}
        for who in ('twin.framed', 'blocking.byte', 'blocking.deadline', 'blocking.stop', 'blocking.message'):
            self.assertIn(f'{who} round_trip 64', names)
        self.assertLessEqual({'twin.framed stream 65536', 'twin.byte connect 64'}, names)
        self.assertLessEqual({'blocking.byte connect 64', 'blocking.raw connect 64', *counts.TWO_THREADS}, names)

    def checked(self, dearer):
        """The exit code, and what was missed, of a check of paths that cost what is stored, but for one that costs a twentieth more."""
        stored = json.loads(counts.STORED.read_text())

        class Counter:
            def __init__(self, _, path):
                self.name = counts.name_of(path)
                self.times = 1.05 if self.name == dearer else 1

            def instructions(self):
                return stored['paths'][self.name][counts.INSTRUCTIONS] * self.times

            def calls(self):
                return {calls.TOTAL: stored['paths'][self.name][counts.CALLS][calls.TOTAL] * self.times}

            def looks(self):
                return None

        said = io.StringIO()
        with mock.patch.multiple(counts, Counter=Counter, tools=lambda _: stored['tools'], unavailable_instructions=str), \
             mock.patch.object(calls, 'unavailable', str), contextlib.redirect_stdout(said):
            code = counts.check(None, store=False)
        return code, [line for line in said.getvalue().splitlines() if line.startswith('MISS')]

    def test_a_rise_of_any_path_fails_the_check_by_its_name(self):
        self.assertEqual(self.checked(None), (0, []))
        for path in counts.PATHS:
            code, missed = self.checked(counts.name_of(path))
            self.assertEqual((code, len(missed)), (1, 2))
            self.assertTrue(all(f', {counts.name_of(path)}: ' in line for line in missed))

    def test_the_rows_of_strace_are_read(self):
        said = '    calls syscall\n--------- ----------------\n     2004 epoll_wait\n        3 recvmsg\n     2007 total\n'
        self.assertEqual(calls.ROW.findall(said), [('2004', 'epoll_wait'), ('3', 'recvmsg'), ('2007', 'total')])


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed, 0 skipped', flush=True)
    sys.exit(1 if failed or not outcome.testsRun else 0)
