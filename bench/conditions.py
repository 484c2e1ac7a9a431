"""Under which conditions figures were taken: without them they mean nothing."""
import os
import platform
import re
import subprocess
from pathlib import Path


def said_by(*words):
    """The first line of what a command says, or nothing."""
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True)
    except OSError:
        return ''
    return done.stdout.strip().partition('\n')[0]


def processor():
    found = re.search(r'^model name\s*:\s*(.*)$', Path('/proc/cpuinfo').read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def boost():
    header = Path('/usr/include/boost/version.hpp')
    found = re.search(r'BOOST_LIB_VERSION "(\w+)"', header.read_text()) if header.exists() else None
    return found[1].replace('_', '.') if found else ''


def cached(program, name):
    """What the build was configured with."""
    for folder in program.resolve().parents:
        cache = folder / 'CMakeCache.txt'
        if cache.exists():
            found = re.search(rf'^{name}:\w+=(.*)$', cache.read_text(), re.MULTILINE)
            return found[1] if found else ''
    return ''


def compiler(program):
    return said_by(cached(program, 'CMAKE_CXX_COMPILER') or 'c++', '--version')


def load():
    return ' '.join(f'{each:.2f}' for each in os.getloadavg())


def of(program):
    return {
        'processor': f'{processor()}, {os.cpu_count()} cores',
        'kernel': platform.release(),
        'compiler': compiler(program),
        'build': cached(program, 'CMAKE_BUILD_TYPE'),
        'libuv': said_by('pkg-config', '--modversion', 'libuv'),
        'Boost': boost(),
        '.NET': said_by('dotnet', '--version'),
        'commit': said_by('git', 'describe', '--always', '--dirty'),
        'load before': load(),
    }
