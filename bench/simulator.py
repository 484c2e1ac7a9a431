"""How fast the simulator is: figures of twinpipe_sim_bench, and what they have to be."""
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

SECONDS_AT_MOST = 120
UNITS = {'1/s': ((1e6, 'M/s'), (1, '/s')), 'bytes': ((1, 'B'),), 'MiB': ((1, 'MiB'),), 's': ((1, 's'),)}


@dataclass(frozen=True)
class Goal:
    text: str
    limit: float
    at_least: bool = True

    def met(self, value):
        return value >= self.limit if self.at_least else value <= self.limit

    def bound(self, unit):
        return f'{"≥" if self.at_least else "≤"} {readable(self.limit, unit)}'


# By the name of the workload. Rates are per second of CPU time, memory is of both ends.
GOALS = {
    'coroutine_steps': Goal('steps of 64 coroutines', 20e6),
    'fiber_steps_64': Goal('steps of 64 fibers', 10e6),
    'fiber_steps_1000': Goal('steps of 1,000 fibers', 10e6),
    'seam_round_trips': Goal('round trips of 64 B at the seam', 4e6),
    'round_trips': Goal('round trips of 64 B through the public API', 2e6),
    'tiny_worlds': Goal('worlds: two processes, one connection, five round trips', 300e3),
    'day': Goal('a day of ten clients with a heartbeat a second', 1, at_least=False),
    'idle_connection': Goal('memory of an idle connection', 1536, at_least=False),
    'many_connections': Goal('memory of 100,000 connections', 192, at_least=False),
}


def readable(value, unit):
    factor, name = next(each for each in UNITS[unit] if value >= each[0] or each is UNITS[unit][-1])
    number = value / factor
    return f'{number:,.0f} {name}' if number >= 1000 else f'{number:.4g} {name}'


class Program:
    """twinpipe_sim_bench, which pins itself to one core."""

    def __init__(self, path, scale):
        self.path = Path(path)
        self.scale = scale
        self.workloads = self.call('list').split()

    def call(self, *words):
        done = subprocess.run(
            [self.path, *map(str, words)], stdout=subprocess.PIPE, check=True, text=True, timeout=SECONDS_AT_MOST
        )
        return done.stdout

    def rounds(self, names, number):
        """{name: its runs}, taken in turns, so that a disturbance meets some of each. Memory depends on the scale: its is 1."""
        taken = {name: [] for name in names}
        for _ in range(number):
            for name in names:
                taken[name].append(json.loads(self.call(name, self.scale if GOALS[name].at_least else 1)))
        return taken


def figure_of(runs):
    """The middle of the runs, and the hash that all of them must have."""
    hashes = sorted({run['hash'] for run in runs})
    values = [run['value'] for run in runs]
    return {'value': median(values), 'unit': runs[0]['unit'], 'least': min(values), 'most': max(values), 'hashes': hashes}


def judge(name, figure):
    goal = GOALS[name]
    return {'goal': goal.text, 'bound': goal.bound(figure['unit']), 'met': goal.met(figure['value']), **figure}


def line_of(name, figure, judged):
    said = readable(figure['value'], figure['unit'])
    between = f'{readable(figure["least"], figure["unit"])} to {readable(figure["most"], figure["unit"])}'
    words = f'{said:>12}  {between:<24} {name:<17} {GOALS[name].text}'
    if not judged:
        return f'{words}; hash {", ".join(figure["hashes"])}'
    return f'{"PASS" if figure["met"] else "MISS"}  {figure["bound"]:<12} {words}'


def run(program, names, rounds, judged):
    """({name: its figure}, whether all is as it has to be)."""
    found, good = {}, True
    for name, runs in program.rounds(names, rounds).items():
        figure = figure_of(runs)
        found[name] = judge(name, figure) if judged else figure
        print(line_of(name, found[name], judged), flush=True)
        if len(figure['hashes']) > 1:
            print(f'twinpipe_sim_bench {name}: the same worlds went otherwise from run to run', flush=True)
        good = good and len(figure['hashes']) == 1 and (not judged or found[name]['met'])
    return found, good
