"""Runs contenders beside each other, round by round, and takes medians."""
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

SECONDS_AT_MOST = 120
FEWEST_OPERATIONS = 20
ONE_WAY = ('stream', 'queued')


@dataclass(frozen=True)
class Point:
    """What is measured: a workload, bytes for each operation, one core or two."""

    workload: str
    size: int
    cores: int

    def __str__(self):
        place = 'one core' if self.cores == 1 else 'two cores'
        return f'{self.workload} of {size_name(self.size)} on {place}'


def size_name(size):
    for unit, name in ((1 << 20, 'MiB'), (1 << 10, 'KiB')):
        if size >= unit and size % unit == 0:
            return f'{size // unit} {name}'
    return f'{size} B'


def warm_operations(who, point):
    """So many a just-in-time compiler needs to have its best code ready."""
    if not who.startswith('dotnet'):
        return 10
    if point.workload in ONE_WAY and point.size <= 4 << 10:
        return 150_000
    if point.workload == 'connect':
        return 10_000
    return 20_000 if point.size <= 4 << 10 else 15_000 if point.size <= 64 << 10 else 600


class Program:
    """twinpipe_bench."""

    def __init__(self, path, seconds):
        self.path = Path(path)
        self.seconds = seconds
        self.contenders = self.call('list').split()
        self.counts = {}

    def call(self, *words):
        done = subprocess.run(
            [self.path, *map(str, words)], stdout=subprocess.PIPE, check=True, text=True, timeout=SECONDS_AT_MOST
        )
        return done.stdout

    def sample(self, who, point):
        """Nanoseconds of one operation: CPU time of both processes, wall time, median and 99th percentile."""
        if (who, point) not in self.counts:
            self.counts[who, point] = self.calibrated(who, point)
        return self.run(who, point, self.counts[who, point])

    def run(self, who, point, count):
        warm = max(count // 10, warm_operations(who, point))
        got = json.loads(self.call('run', who, point.workload, point.size, warm, count, point.cores))
        return {
            'cpu': (got['server_cpu_ns'] + got['client_cpu_ns']) / count,
            'total': got['wall_ns'] / count,
            # A neighbour on the machine lengthens the sum of all operations, the middle one hardly.
            'wall': got['wall_ns'] / count if point.workload in ONE_WAY else got['median_ns'],
            'p99': got['p99_ns'],
        }

    def calibrated(self, who, point):
        """So many operations take about self.seconds; found in steps, because the first ones are slow."""
        count = fewest = max(FEWEST_OPERATIONS, warm_operations(who, point) // 10)
        while True:
            took = self.run(who, point, count)['total'] * count / 1e9
            if took > self.seconds / 4:
                return max(fewest, int(count * self.seconds / took))
            count *= 4

    def rounds(self, point, names, number):
        """{contender: [sample of each round]}: in every round each runs once, and another one begins."""
        samples = {who: [] for who in names}
        for i in range(number):
            shift = i % len(names)
            for who in names[shift:] + names[:shift]:
                samples[who].append(self.sample(who, point))
        return samples


def middle(samples, metric):
    return median(sample[metric] for sample in samples)


def ratio(samples, subject, baseline, metric):
    """The median of the rounds' ratios: what disturbs one round disturbs both."""
    return median(a[metric] / b[metric] for a, b in zip(samples[subject], samples[baseline]))
