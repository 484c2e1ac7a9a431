#!/usr/bin/env python3
"""The benchmarks: tables, goals, and the guard that counts. scripts/bench builds what it needs and calls it."""
import argparse
import json
import os
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import calls  # noqa: E402
import conditions  # noqa: E402
import counts  # noqa: E402
import goals  # noqa: E402
import rest  # noqa: E402
import simulator  # noqa: E402
from measure import Point, Program, middle, ratio  # noqa: E402

ALWAYS = 'raw'  # what ratios in the tables are taken of
CALLS_OPERATIONS = 300
OPTIONAL = ('asio', 'dotnet.sync', 'dotnet.async')  # built where there is what they need


def points():
    """All that is measured."""
    for cores in (1, 2):
        for workload in ('round_trip', 'stream'):
            for size in goals.SIZES:
                yield Point(workload, size, cores)
        yield Point('queued', 64, cores)
        yield Point('connect', 64, cores)


def matches(pattern, who, point):
    return pattern is None or re.search(pattern, f'{who} {point}') is not None


def metric_of(point):
    return goals.CPU if point.cores == 1 else goals.WALL


def figures_of(samples):
    return {metric: round(middle(samples, metric), 1) for metric in ('cpu', 'wall', 'total', 'p99')}


def calls_of(program, who, point):
    """Without .NET, whose threads call the system all the time for themselves."""
    if calls.unavailable() or who.startswith('dotnet'):
        return {}
    words = (program.path, 'run', who, point.workload, point.size, 10)
    return calls.per_operation(lambda n: [*words, n, point.cores], CALLS_OPERATIONS)


def measure_table(program, point, names, rounds):
    samples = program.rounds(point, names, rounds)
    table = {}
    for who in names:
        table[who] = figures_of(samples[who])
        table[who]['ratio'] = round(ratio(samples, who, names[0], metric_of(point)), 3)
        if point.cores == 1:
            table[who]['calls'] = calls_of(program, who, point)
    return table


def print_table(point, table):
    by = 'CPU time' if point.cores == 1 else 'wall time'
    print(f'\n{point}: µs for each operation; ratio of {by} to {next(iter(table))}')
    print(f'{"":<20}{"CPU":>10}{"wall":>10}{"p99":>10}{"ratio":>8}  system calls')
    for who, row in table.items():
        numbers = ''.join(f'{row[metric] / 1000:>10.2f}' if row[metric] else f'{"-":>10}' for metric in ('cpu', 'wall', 'p99'))
        each = row.get('calls', {})
        said = f'{each[calls.TOTAL]:.2f}' if calls.TOTAL in each else '-'
        print(f'{who:<20}{numbers}{row["ratio"]:>8.3f}  {said}', flush=True)


def run_tables(program, options):
    tables = {}
    for point in points():
        names = [who for who in program.contenders if who == ALWAYS or matches(options.only, who, point)]
        if len(names) > 1:
            tables[str(point)] = measure_table(program, point, names, options.rounds)
            print_table(point, tables[str(point)])
    return tables


def run_memory(program, options):
    """Bytes of each side for each of many idle connections."""
    found = {}
    for manner in rest.MANNERS:
        if not matches(options.only, manner, 'idle'):
            continue
        if not found:
            print('\nidle connections: bytes of one side for each, before and after a message each way')
        found[manner] = rest.memory(program, manner)
        for side, row in found[manner].items():
            print(f'{manner:<17} {side:<7} allocated {row["allocated"]:>6} {row["allocated_after_message"]:>6}'
                  f'   resident {row["resident"]:>6} {row["resident_after_message"]:>6}', flush=True)
    return found


def selected_goals(program, options):
    """({point: goals that can be judged}, lines about those that can't)."""
    chosen, absent = {}, []
    for goal in goals.all_goals():
        if not matches(options.only, goal.subject, goal.point):
            continue
        missing = [who for who in (goal.subject, goal.baseline) if who not in program.contenders]
        if missing:
            absent.append(f'{describe(goal)} ({", ".join(missing)} not built here)')
        else:
            chosen.setdefault(goal.point, []).append(goal)
    return chosen, absent


def describe(goal):
    return f'{goal.text}, {goal.point}: {goal.subject} against {goal.baseline}'


def judge(goal, samples):
    metric = goals.CPU if goal.metric == goals.RATE else goal.metric
    sides = (goal.baseline, goal.subject) if goal.metric == goals.RATE else (goal.subject, goal.baseline)
    got = ratio(samples, *sides, metric)
    entry = {'goal': describe(goal), 'metric': goal.metric, 'ratio': round(got, 3), 'bound': goal.bound, 'met': goal.met(got)}
    beside = goals.BESIDE.get(goal.subject)
    if beside in samples:
        entry['beside'] = {beside: round(ratio(samples, beside, goal.baseline, metric), 3)}
    return entry


def judge_calls(program):
    subject, baseline = goals.FEWEST_CALLS
    point = goals.round_trip(1)
    if calls.unavailable():
        return None
    got, most = (calls_of(program, who, point)[calls.TOTAL] for who in (subject, baseline))
    return {'goal': f'system calls, {point}: {subject} against {baseline}', 'metric': 'calls', 'ratio': round(got / most, 3),
            'bound': f'{got:.2f} ≤ {most:.2f}', 'met': got <= most + 0.05}


def judge_rest(program, options):
    subject, baseline = goals.AT_REST
    got = rest.rounds(program, goals.AT_REST, goals.REST_MILLISECONDS, min(options.rounds, 5))
    used, most = (got[wait]['us'] for wait in goals.AT_REST)
    return {'goal': f'CPU time of both processes at rest for {goals.REST_MILLISECONDS} ms: wait_strategy::{subject} against {baseline}, '
                    f'after {got[subject]["sleeps"]:.2f} and {got[baseline]["sleeps"]:.2f} sleeps for each round trip',
            'metric': 'cpu', 'ratio': round(used / most, 3), 'bound': f'{used:.0f} ≤ {most:.0f} + {goals.ALLOWED_AT_REST} µs',
            'met': used <= most + goals.ALLOWED_AT_REST}


def print_goal(entry):
    beside = ''.join(f' (beside: {who} {value:.3f})' for who, value in entry.get('beside', {}).items())
    print(f'{"PASS" if entry["met"] else "MISS"}  {entry["ratio"]:>6.3f} {entry["bound"]:<14} '
          f'{entry["metric"]:<5} {entry["goal"]}{beside}', flush=True)


def run_goals(program, options):
    chosen, absent = selected_goals(program, options)
    entries = []

    def note(entry):
        entries.append(entry)
        print_goal(entry)

    for point, at_point in chosen.items():
        wanted = {who for goal in at_point for who in (goal.subject, goal.baseline, goals.BESIDE.get(goal.subject))}
        names = [who for who in program.contenders if who in wanted]
        samples = program.rounds(point, names, options.rounds)
        for goal in at_point:
            note(judge(goal, samples))
    if matches(options.only, 'twin.adaptive', 'at rest'):
        note(judge_rest(program, options))
    if matches(options.only, goals.FEWEST_CALLS[0], goals.round_trip(1)):
        entry = judge_calls(program)
        if entry is None:
            absent.append(f'system calls ({calls.unavailable()})')
        else:
            note(entry)
    for line in absent:
        print(f'skipped: {line}')
    missed = sum(not entry['met'] for entry in entries)
    print(f'{len(entries) - missed} met, {missed} missed, {len(absent)} skipped')
    return entries, absent


def absent_from_tables(program):
    """What the tables would show elsewhere."""
    lines = [f'{who} (not built here)' for who in OPTIONAL if who not in program.contenders]
    reason = calls.unavailable()
    return lines + ([f'system calls ({reason})'] if reason else [])


def is_in_question(program, options):
    """Whether anything is left of what --only selects."""
    if options.only is None:
        return True
    if options.goals:
        subjects = [(goal.subject, goal.point) for goal in goals.all_goals()]
        return any(matches(options.only, *each) for each in [*subjects, ('twin.adaptive', 'at rest')])
    rows = [(who, point) for point in points() for who in program.contenders if who != ALWAYS]
    return any(matches(options.only, *each) for each in [*rows, *((manner, 'idle') for manner in rest.MANNERS)])


def pattern(text):
    try:
        re.compile(text)
    except re.error as wrong:
        raise argparse.ArgumentTypeError(f'{text!r} is no regular expression: {wrong}') from None
    return text


def writable_file(text):
    file = Path(text)
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f'{text!r} can\'t be written')
    return file


def parsed(words):
    parser = argparse.ArgumentParser(
        prog='scripts/bench', description='Measures twinpipe beside what else one could use.', allow_abbrev=False)
    parser.add_argument('--goals', action='store_true', help='only what has to be reached; exits with 1 if a goal is missed')
    parser.add_argument('--check', action='store_true', help='counts instructions and system calls against bench/counts.json')
    parser.add_argument('--update', action='store_true', help='with --check: stores what was counted')
    parser.add_argument('--sim', action='store_true', help='the simulator itself: steps, round trips, worlds, memory; also with --goals')
    parser.add_argument('--quick', action='store_true', help='fewer and shorter rounds')
    parser.add_argument('--only', metavar='PATTERN', type=pattern,
                        help='a regular expression for "CONTENDER WORKLOAD of SIZE on CORES", "CONTENDER idle", "twin.adaptive at rest"; '
                             'with --sim for the name of a workload')
    parser.add_argument('--json', metavar='FILE', type=writable_file, help='where the figures go; else beside the program')
    parser.add_argument('--program', type=Path, help=argparse.SUPPRESS)  # without it: only looks at the others
    options = parser.parse_args(words)
    if options.check and (options.goals or options.sim or options.quick or options.only is not None or options.json):
        parser.error('--check goes with --update only: it always counts the same')
    if options.update and not options.check:
        parser.error('--update goes with --check')
    options.rounds = 3 if options.quick else 11
    return options


def run_simulator(options):
    program = simulator.Program(options.program, scale=0.2 if options.quick else 1)
    names = [name for name in program.workloads if options.only is None or re.search(options.only, name)]
    if not names:
        return matches_nothing(options)
    found = begin(program)
    key = 'goals' if options.goals else 'figures'
    found[key], good = simulator.run(program, names, min(options.rounds, 5), options.goals)
    finish(found, options.json or program.path.parent / ('sim_goals.json' if options.goals else 'sim.json'))
    return 0 if good else 1


def matches_nothing(options):
    print(f'scripts/bench: nothing that is measured matches {options.only!r}', file=sys.stderr)
    return 2


def begin(program):
    found = {'conditions': conditions.of(program.path)}
    print('\n'.join(f'{key}: {value}' for key, value in found['conditions'].items()), flush=True)
    return found


def finish(found, file):
    found['conditions']['load after'] = conditions.load()
    print(f'load after: {found["conditions"]["load after"]}')
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + '\n')
    print(f'written to {file}')


def main(words):
    options = parsed(words)
    if options.program is None:
        return 0
    if options.sim:
        return run_simulator(options)
    program = Program(options.program, seconds=0.03 if options.quick else 0.15)
    if options.check:
        return counts.check(program, options.update)
    if not is_in_question(program, options):
        return matches_nothing(options)
    found = begin(program)
    if options.goals:
        found['goals'], found['skipped'] = run_goals(program, options)
    else:
        found['tables'] = run_tables(program, options)
        found['memory'] = run_memory(program, options)
        found['skipped'] = absent_from_tables(program)
        for line in found['skipped']:
            print(f'skipped: {line}')
    finish(found, options.json or program.path.parent / ('goals.json' if options.goals else 'bench.json'))
    return 0 if all(entry['met'] for entry in found.get('goals', [])) else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
