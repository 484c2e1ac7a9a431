"""The guard: instructions and system calls of the hot paths against stored figures. It counts and never times."""
import json
import re
import shutil
import subprocess
from pathlib import Path

import calls
import conditions

STORED = Path(__file__).parent / 'counts.json'
RISE_AT_MOST = 0.03
# (contender, workload, size, operations): long enough that a start-up which isn't quite the same can't be seen.
PATHS = (
    ('twin.byte', 'round_trip', 64, 1000),
    ('twin.message', 'round_trip', 64, 1000),
    ('twin.byte', 'stream', 64 << 10, 1000),
    ('twin.message', 'queued', 64, 2000),
    ('twin.byte', 'connect', 64, 100),
)
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

    def command(self, operations):
        return [*self.words, operations]

    def instructions(self):
        once, twice = (instructions(self.command(n * self.operations)) for n in (1, 2))
        return round((twice - once) / self.operations, 1)

    def calls(self):
        got = calls.per_operation(self.command, self.operations, ENVIRONMENT)
        return {name: round(each, 2) for name, each in got.items()}


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

    def skip(self, what, why):
        self.skipped += 1
        print(f'skipped: {what}: {why}')

    def finish(self):
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped')
        return 0 if self.failed == 0 else 1


def update(program):
    reason = unavailable_instructions() or calls.unavailable()
    if reason:
        print(f'nothing stored: {reason}')
        return 1
    paths = {}
    for path in PATHS:
        counter = Counter(program, path)
        paths[name_of(path)] = {'instructions': counter.instructions(), 'calls': counter.calls()}
        print(f'{name_of(path)}: {paths[name_of(path)]}', flush=True)
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
    tally = Tally()
    for path in PATHS:
        before = stored['paths'].get(name_of(path), {})
        counter = Counter(program, path)
        if no_instructions:
            tally.skip(f'instructions, {name_of(path)}', no_instructions)
        else:
            tally.compare(f'instructions, {name_of(path)}', before.get('instructions'), counter.instructions())
        if no_calls:
            tally.skip(f'system calls, {name_of(path)}', no_calls)
        else:
            known = before.get('calls', {}).get(calls.TOTAL)
            tally.compare(f'system calls, {name_of(path)}', known, counter.calls()[calls.TOTAL])
    if tally.failed:
        print('If the rise is meant, say why in the commit and store the new figures: scripts/bench --check --update')
    return tally.finish()
