"""What connections cost that nothing is sent on: their memory, and the CPU time of those who wait for it."""
import json
from statistics import median

MANNERS = ('twin.byte', 'twin.message', 'blocking.byte', 'blocking.message')
CONNECTIONS = 1000


def memory(program, manner):
    """{side: bytes for each connection, before and after a message each way}."""
    rows = [json.loads(line) for line in program.call('idle', manner, CONNECTIONS).splitlines()]
    return {row.pop('side'): row for row in rows}


def sample(program, wait, milliseconds):
    """Microseconds of CPU time of both processes at rest; sleeps for each round trip and side before."""
    sides = [json.loads(line) for line in program.call('rest', wait, milliseconds).splitlines()]
    return {'us': sum(side['cpu_ns'] for side in sides) / 1000, 'sleeps': sum(side['sleeps'] for side in sides) / 2}


def rounds(program, waits, milliseconds, number):
    """{wait: the medians of its samples}, taken in turns."""
    samples = {wait: [] for wait in waits}
    for _ in range(number):
        for wait in waits:
            samples[wait].append(sample(program, wait, milliseconds))
    return {wait: {key: median(each[key] for each in taken) for key in ('us', 'sleeps')} for wait, taken in samples.items()}
