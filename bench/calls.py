"""System calls for each operation, by strace: what twice as many operations take more."""
import re
import shutil
import subprocess

TOTAL = 'total'
# `calls` and `syscall` of `strace -c -U calls,name`.
ROW = re.compile(r'^\s*(\d+)\s+(\w+)\s*$', re.MULTILINE)


def unavailable():
    """Why nothing can be counted here; empty if it can."""
    if not shutil.which('strace'):
        return 'strace is missing'
    probe = subprocess.run(['strace', '-c', '-o', '/dev/null', 'true'], stderr=subprocess.DEVNULL, check=False)
    return '' if probe.returncode == 0 else 'strace may not trace here'


def counted(command, environment=None, follow=True):
    """{call: how often}, of the command, and if they are followed of its other threads and its children."""
    done = subprocess.run(
        ['strace', *(['-f'] if follow else []), '-c', '-U', 'calls,name', '-o', '/dev/stdout', *map(str, command)],
        stdout=subprocess.PIPE, check=True, text=True, env=environment, timeout=120,
    )
    return {name: int(calls) for calls, name in ROW.findall(done.stdout)}


def per_operation(command, operations, environment=None, follow=True):
    """`command(n)` are the words that do n operations. {call: for each}, the sum under TOTAL."""
    once = counted(command(operations), environment, follow)
    twice = counted(command(2 * operations), environment, follow)
    each = {name: (twice[name] - once.get(name, 0)) / operations for name in sorted(twice)}
    return {name: calls for name, calls in each.items() if abs(calls) >= 0.005}
