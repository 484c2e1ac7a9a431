#!/usr/bin/env python3
"""Tests of what scripts/bench makes of its figures."""
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import bench  # noqa: E402
import calls  # noqa: E402
import counts  # noqa: E402
import goals  # noqa: E402
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

        chosen, absent = bench.selected_goals(Program, bench.parsed(['--goals', '--program', 'none']))
        judged = [goal for at_point in chosen.values() for goal in at_point]
        self.assertEqual({goal.baseline for goal in judged}, {'uv'})
        self.assertEqual(len(judged) + len(absent), len(goals.all_goals()))
        self.assertTrue(any('twin.byte against asio (asio not built here)' in line for line in absent))


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

    def test_the_rows_of_strace_are_read(self):
        said = '    calls syscall\n--------- ----------------\n     2004 epoll_wait\n        3 recvmsg\n     2007 total\n'
        self.assertEqual(calls.ROW.findall(said), [('2004', 'epoll_wait'), ('3', 'recvmsg'), ('2007', 'total')])


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed, 0 skipped', flush=True)
    sys.exit(1 if failed or not outcome.testsRun else 0)
