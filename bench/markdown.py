#!/usr/bin/env python3
"""The tables of docs/performance.md: bench/markdown.py FILE..., of the JSON that scripts/bench has written; later files add to
earlier ones."""
import json
import sys
from pathlib import Path

HEADS = {
    'raw': 'blocking sockets', 'epoll': 'epoll', 'uv': 'libuv', 'asio': 'Asio', 'dotnet.sync': '.NET sync', 'dotnet.async': '.NET async',
    'twin.byte': '**byte**', 'twin.framed': '**framed**', 'twin.message': '**message**', 'twin.raw': '**raw profile**',
    'twin.adaptive': '**adaptive**',
}


def merged(files):
    tables = {}
    for file in files:
        for point, rows in json.loads(Path(file).read_text())['tables'].items():
            tables.setdefault(point, {})
            for who, row in rows.items():
                tables[point].setdefault(who, row)
    return tables


def order(point):
    workload, _, size, unit, *_ = point.split()
    units = {'B': 1, 'KiB': 1 << 10, 'MiB': 1 << 20}
    return ('round_trip', 'stream', 'queued', 'connect').index(workload), int(size) * units[unit]


def cell(row, metric):
    if row is None:
        return ''
    each = row.get('calls', {}).get('total')
    said = f', {each:.1f}' if each is not None else ''
    return f'{row[metric] / 1000:.3g}, {row["ratio"]:.2f}{said}'


def print_table(tables, place, metric):
    names = [who for who in HEADS if any(who in rows for point, rows in tables.items() if point.endswith(place))]
    names += sorted({who for rows in tables.values() for who in rows} - set(HEADS))
    print('\n| | ' + ' | '.join(HEADS.get(who, f'**{who}**') for who in names) + ' |')
    print('|---' * (len(names) + 1) + '|')
    for point in sorted((point for point in tables if point.endswith(place)), key=order):
        head = point.removesuffix(' on ' + place).replace('_', ' ')
        print(f'| {head} | ' + ' | '.join(cell(tables[point].get(who), metric) for who in names) + ' |')


if __name__ == '__main__':
    found = merged(sys.argv[1:])
    print_table(found, 'one core', 'cpu')
    print_table(found, 'two cores', 'wall')
