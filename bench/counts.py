"""The guard: instructions and system calls of the hot paths against stored figures. It counts and never times."""
import json
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import calls
import conditions

STORED = Path(__file__).parent / 'counts.json'
RISE_AT_MOST = 0.03
# What is counted of a path: the functions of Counter, and the words of the stored figures.
INSTRUCTIONS, CALLS, LOOKS = 'instructions', 'calls', 'looks'
# (contender, workload, size, operations): long enough that a start-up which isn't quite the same can't be seen.
PATHS = (
    ('twin.byte', 'round_trip', 64, 1000),
    ('twin.message', 'round_trip', 64, 1000),
    ('twin.framed', 'round_trip', 64, 1000),
    ('twin.byte', 'stream', 64 << 10, 1000),
    ('twin.framed', 'stream', 64 << 10, 1000),
    ('twin.message', 'queued', 64, 2000),
    ('twin.byte', 'connect', 64, 100),
    ('blocking.byte', 'round_trip', 64, 1000),
    ('blocking.deadline', 'round_trip', 64, 1000),
    ('blocking.stop', 'round_trip', 64, 1000),
    ('blocking.message', 'round_trip', 64, 1000),
    ('blocking.byte', 'stream', 64 << 10, 1000),
    ('blocking.message', 'stream', 64 << 10, 1000),
    ('blocking.raw', 'connect', 64, 400),
    ('blocking.byte', 'connect', 64, 400),
)
# What takes two threads: how far the client is when the server looks differs on a busy machine. So instructions, which are fewer
# then, are the most of some runs, and system calls are the client's, which only sleeps in its calls.
TWO_THREADS = ('blocking.byte connect 64',)
RUNS_OF_TWO_THREADS = 3
# {contender: call}: a blocking connection with frames looks for its peer's questions, at most once in a millisecond.
# How often that is in an operation depends on the machine, so these calls are only held against the clock.
BY_THE_CLOCK = {'blocking.message': 'ppoll'}
# Nothing of the caller's environment; and the same copying functions of libc on every processor.
ENVIRONMENT = {
    'PATH': '/usr/bin:/bin',
    'GLIBC_TUNABLES': 'glibc.cpu.hwcaps=-AVX2_Usable,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-AVX512F_Usable,-AVX512VL_Usable',
}


def instructions(command):
    done = subprocess.run(
        ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', *map(str, command)],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=True, text=True, env=ENVIRONMENT, timeout=120,
    )
    return int(re.search(r'Collected\s*:\s*(\d+)', done.stderr)[1])


class Counter:
    """Counts one path of twinpipe_bench by what twice as many operations take more."""

    def __init__(self, program, path):
        who, workload, size, self.operations = path
        self.words = (program.path, 'alone', who, workload, size)
        self.two_threads = name_of(path) in TWO_THREADS
        self.by_the_clock = BY_THE_CLOCK.get(who)

    def command(self, operations):
        return [*self.words, operations]

    def instructions(self):
        return max(self.instructions_once() for _ in range(RUNS_OF_TWO_THREADS if self.two_threads else 1))

    def instructions_once(self):
        once, twice = (instructions(self.command(n * self.operations)) for n in (1, 2))
        return round((twice - once) / self.operations, 1)

    def calls(self):
        got = calls.per_operation(self.command, self.operations, ENVIRONMENT, follow=not self.two_threads)
        got[calls.TOTAL] -= got.pop(self.by_the_clock, 0)
        return {name: round(each, 2) for name, each in got.items()}

    def looks(self):
        """(how many there may be, how many there were) of the calls by the clock: both sides have one in a millisecond."""
        if not self.by_the_clock:
            return None
        began = time.monotonic()
        got = calls.counted(self.command(self.operations), ENVIRONMENT)
        return round(2000 * (time.monotonic() - began)), got.get(self.by_the_clock, 0)


def name_of(path):
    return ' '.join(map(str, path[:3]))


def tools(program):
    """What instruction counts depend on beside the sources."""
    known = conditions.of(program.path)
    libc = conditions.said_by('getconf', 'GNU_LIBC_VERSION')
    compiler = known['compiler'].partition(' ')[2]  # it may have been called by another name
    return {'compiler': compiler, 'build': known['build'], 'libuv': known['libuv'], 'libc': libc}


class Tally:
    """What was compared, and how it came out."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0

    def compare(self, what, before, now):
        if before is None:
            self.failed += 1
            print(f'MISS  {what}: {now}, and nothing is stored')
            return
        change = now / before - 1
        good = now <= before * (1 + RISE_AT_MOST) + 1e-9
        self.passed += good
        self.failed += not good
        print(f'{"ok  " if good else "MISS"}  {what}: {before} -> {now} ({change:+.1%})', flush=True)

    def hold_against_the_clock(self, what, looks):
        if looks is None:
            return
        allowed, now = looks
        self.passed += now <= allowed
        self.failed += now > allowed
        print(f'{"ok  " if now <= allowed else "MISS"}  {what}: {now}, in a time for {allowed}', flush=True)

    def skip(self, what, why):
        self.skipped += 1
        print(f'skipped: {what}: {why}')

    def finish(self):
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped')
        return 0 if self.failed == 0 else 1


def measured(program, wanted):
    """(its name, {what is wanted: the figure}) of each path. They run side by side: counts stay the same on a busy machine."""
    def figures_of(path):
        counter = Counter(program, path)
        return name_of(path), {what: getattr(counter, what)() for what in wanted}

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(figures_of, PATHS)


def update(program):
    reason = unavailable_instructions() or calls.unavailable()
    if reason:
        print(f'nothing stored: {reason}')
        return 1
    paths = {}
    for name, figures in measured(program, (INSTRUCTIONS, CALLS)):
        paths[name] = figures
        print(f'{name}: {figures}', flush=True)
    STORED.write_text(json.dumps({'tools': tools(program), 'paths': paths}, indent=1) + '\n')
    return 0


def unavailable_instructions():
    return '' if shutil.which('valgrind') else 'valgrind is missing'


def check(program, store):
    if store:
        return update(program)
    stored = json.loads(STORED.read_text())
    no_calls, no_instructions = calls.unavailable(), unavailable_instructions()
    if not no_instructions and stored['tools'] != tools(program):
        no_instructions = f'the stored figures are of {stored["tools"]}, this is {tools(program)}'
    reasons = {INSTRUCTIONS: no_instructions, CALLS: no_calls, LOOKS: no_calls}
    tally = Tally()
    for name, figures in measured(program, [what for what, reason in reasons.items() if not reason]):
        before = stored['paths'].get(name, {})
        if no_instructions:
            tally.skip(f'instructions, {name}', no_instructions)
        else:
            tally.compare(f'instructions, {name}', before.get(INSTRUCTIONS), figures[INSTRUCTIONS])
        if no_calls:
            tally.skip(f'system calls, {name}', no_calls)
        else:
            tally.compare(f'system calls, {name}', before.get(CALLS, {}).get(calls.TOTAL), figures[CALLS][calls.TOTAL])
            tally.hold_against_the_clock(f'looks, {name}', figures[LOOKS])
    if tally.failed:
        print('If the rise is meant, say why in the commit and store the new figures: scripts/bench --check --update')
    return tally.finish()
