"""What the library has to reach. A goal compares two contenders of the same run, or one's system calls."""
from dataclasses import dataclass

from measure import Point

SIZES = (1, 64, 4 << 10, 64 << 10, 1 << 20)
CPU, WALL, RATE = 'cpu', 'wall', 'rate'  # of both processes; of one operation; operations per CPU time


@dataclass(frozen=True)
class Goal:
    text: str
    subject: str
    baseline: str
    point: Point
    metric: str
    limit: float
    at_least: bool = False
    strict: bool = False

    def met(self, ratio):
        if self.at_least:
            return ratio >= self.limit
        return ratio < self.limit if self.strict else ratio <= self.limit

    @property
    def bound(self):
        return f'{"≥" if self.at_least else "<" if self.strict else "≤"} {self.limit:.2f}'


def round_trip(cores):
    return Point('round_trip', 64, cores)


def ping_pong():
    one, two = round_trip(1), round_trip(2)
    yield Goal('coroutines', 'twin.byte', 'uv', one, CPU, 1.03)
    yield Goal('coroutines', 'twin.byte', 'asio', one, CPU, 1.00, strict=True)
    yield Goal('blocking', 'blocking.byte', 'raw', one, CPU, 1.08)
    yield Goal('blocking', 'blocking.byte', 'raw', two, WALL, 1.05)
    yield Goal('blocking with a deadline', 'blocking.deadline', 'raw', two, WALL, 1.10)
    yield Goal('blocking with a stop token', 'blocking.stop', 'raw', two, WALL, 1.30)
    yield Goal('messages', 'twin.message', 'twin.byte', one, CPU, 1.05)
    yield Goal('adaptive waiting', 'twin.adaptive', 'raw', two, WALL, 0.30)
    yield Goal('adaptive waiting, its CPU time', 'twin.adaptive', 'twin.byte', two, CPU, 1.00)


def one_way():
    stream = Point('stream', 64 << 10, 1)
    yield Goal('coroutines', 'twin.byte', 'uv', stream, RATE, 0.97, at_least=True)
    yield Goal('coroutines, framed', 'twin.framed', 'uv', stream, RATE, 0.90, at_least=True)
    yield Goal('messages', 'twin.message', 'uv', stream, RATE, 0.90, at_least=True)
    yield Goal('messages, many pending', 'twin.message', 'asio', Point('queued', 64, 1), RATE, 5.0, at_least=True)


def blocking_beside_dotnet(what):
    """Like with like: .NET shakes no hands, and neither does the raw profile. What the handshake costs stands beside it."""
    return 'blocking.raw' if what == 'connect' else 'blocking.byte'


def beside_dotnet():
    workloads = [(what, size) for what in ('round_trip', 'stream') for size in SIZES]
    workloads += [('queued', 64), ('connect', 64)]
    for what, size in workloads:
        for cores, metric in ((1, CPU), (2, WALL)):
            point = Point(what, size, cores)
            yield Goal('blocking', blocking_beside_dotnet(what), 'dotnet.sync', point, metric, 1.00, strict=True)
        two = Point(what, size, 2)
        yield Goal('adaptive waiting', 'twin.adaptive', 'dotnet.async', two, WALL, 1.00, strict=True)


def all_goals():
    return [*ping_pong(), *one_way(), *beside_dotnet()]


# Published beside the goals, never failed on.
BESIDE = {'twin.adaptive': 'twin.byte', 'blocking.raw': 'blocking.byte'}

# A goal of its own kind: no more system calls for a round trip than this one takes.
FEWEST_CALLS = ('twin.byte', 'epoll')

# Another: an adaptive wait at rest takes no more CPU time than one that sleeps. Both processes, in microseconds of a second;
# what is allowed between them is one spin of each, a ten-thousandth of the second.
AT_REST = ('adaptive', 'sleep')
REST_MILLISECONDS, ALLOWED_AT_REST = 1000, 100
