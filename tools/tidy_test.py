#!/usr/bin/env python3
"""Shows that every rule of tools/tidy catches what it is there for, with file and line, and lets the rest through."""
import importlib.machinery
import importlib.util
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TIDY = Path(__file__).resolve().parent / 'tidy'
loader = importlib.machinery.SourceFileLoader('tidy', str(TIDY))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader('tidy', loader))
loader.exec_module(tidy)

CLEAN = {
    'CMakeLists.txt': 'project(x)\nadd_subdirectory(src)\nadd_subdirectory(tests)\n',
    'meson.build': "project('x')\nsubdir('src')\nsubdir('tests')\n",
    'src/CMakeLists.txt': 'add_library(core STATIC\n  a.cpp\n  deep/b_posix.cpp\n)\n',
    'src/meson.build': "core = files(\n  'a.cpp',\n  'deep/b_posix.cpp',\n)\n",
    'src/a.cpp': '// A.\nint a() {\n  return 1;\n}\n',
    'src/deep/b_posix.cpp': '// B.\nint b() { return 2; }\n',
    'include/twinpipe/a.hpp': '// A.\n#pragma once\nint a();\n',
    'include/twinpipe/uv.hpp': '// A loop of the user\'s own.\n#pragma once\n#include <uv.h>\n',
    'tests/CMakeLists.txt': 'add_executable(t t.cpp)\nadd_test(NAME t COMMAND t)\n',
    'tests/meson.build': "test('t', executable('t', 't.cpp'))\n",
    'tests/t.cpp': '// T.\n#include <thread>\nTEST_CASE("one is one") { CHECK(1 == 1); }\n',
}
LONG_BODY = '  f();\n' * 70


class Tidy(unittest.TestCase):
    def problems(self, files):
        """Of the clean tree with some files replaced or, by None, removed."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (CLEAN | files).items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                if text is not None:
                    path.write_bytes(text.replace('@ROOT@', str(Path(folder).resolve())).encode())
            return tidy.check(Path(folder))

    def finds(self, where, message, name, text):
        found = self.problems({name: text})
        here = [problem for problem in found if problem.startswith(f'{where}:')]
        self.assertTrue(any(message in problem for problem in here), f'{where}: {message}\nin {found}')

    def lets_through(self, name, text):
        self.assertEqual(self.problems({name: text}), [])

    def test_the_exit_code_and_the_output_tell(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, 'a.md').write_text('a \n')
            bad = subprocess.run([sys.executable, TIDY, folder], capture_output=True, text=True, check=False)
            Path(folder, 'a.md').write_text('a\n')
            good = subprocess.run([sys.executable, TIDY, folder], capture_output=True, text=True, check=False)
        self.assertEqual((bad.returncode, good.returncode), (1, 0))
        self.assertIn('a.md:1: white space', bad.stdout)

    def test_a_clean_tree_passes(self):
        self.lets_through('README.md', '# x\n')

    def test_a_source_that_cmake_does_not_list(self):
        self.finds('src/a.cpp:1', 'in no CMakeLists.txt', 'src/CMakeLists.txt', 'x(deep/b_posix.cpp)\n')

    def test_a_source_that_meson_does_not_list(self):
        self.finds('src/deep/b_posix.cpp:1', 'in no meson.build', 'src/meson.build', "files('a.cpp')\n")

    def test_a_source_that_only_another_folder_lists(self):
        beside = {
            'tests/CMakeLists.txt': 'add_subdirectory(deep)\nx(t.cpp ../src/a.cpp)\n',
            'tests/deep/CMakeLists.txt': 'x(../u.cpp)\n',
            'tests/u.cpp': '// U.\n',
            'tests/meson.build': "files('t.cpp', 'u.cpp')\n",
        }
        found = self.problems(beside)
        self.assertEqual(len(found), 1, found)
        self.assertIn('tests/u.cpp:1: not in tests/CMakeLists.txt', found[0])

    def test_a_listed_source_that_is_not_there(self):
        self.finds('src/CMakeLists.txt:2', 'src/a.cpp, which is not on the disk', 'src/a.cpp', None)
        self.finds('src/meson.build:2', 'src/a.cpp, which is not on the disk', 'src/a.cpp', None)

    def test_a_source_on_the_disk_alone(self):
        self.finds('src/c.cpp:1', 'in no CMakeLists.txt', 'src/c.cpp', '// C.\n')
        self.finds('examples/c.cpp:1', 'in no meson.build', 'examples/c.cpp', '// C.\n')

    def test_a_source_named_by_a_variable_or_a_glob(self):
        self.finds('src/CMakeLists.txt:1', 'without a variable', 'src/CMakeLists.txt', 'x(b_${os}.cpp)\n')
        self.finds('src/CMakeLists.txt:1', 'listed by hand', 'src/CMakeLists.txt', 'file(GLOB x *.cpp)\n')

    def test_a_list_that_no_other_list_adds(self):
        self.finds('tests/CMakeLists.txt:1', 'no other list adds', 'CMakeLists.txt', 'add_subdirectory(src)\n')
        self.finds('tests/meson.build:1', 'no other list adds', 'meson.build', "subdir('src')\n")

    def test_an_entry_that_is_commented_out(self):
        self.finds('src/CMakeLists.txt:2', 'switched off', 'src/CMakeLists.txt', 'x(a.cpp\n  # deep/b_posix.cpp\n)\n')
        self.finds('CMakeLists.txt:1', 'switched off', 'CMakeLists.txt', '# add_subdirectory(src)\n')
        text = 'x(t.cpp)\nset_tests_properties(t PROPERTIES DISABLED ON)\n'
        self.finds('tests/CMakeLists.txt:2', 'switched off', 'tests/CMakeLists.txt', text)

    def test_a_system_macro_above_the_seam(self):
        for word in ('_WIN32', 'WIN32', '__CYGWIN__', '__linux__', '__APPLE__', '__OpenBSD__'):
            self.finds('src/a.cpp:2', word, 'src/a.cpp', f'// A.\n#ifdef {word}\n#endif\n')
        self.finds('include/twinpipe/a.hpp:3', '_WIN32', 'include/twinpipe/a.hpp', '// A.\n#pragma once\n#if _WIN32\n#endif\n')

    def test_a_forbidden_header_above_the_seam(self):
        for header in ('windows.h', 'unistd.h', 'sys/socket.h', 'uv.h', 'thread', 'mutex', 'condition_variable', 'random'):
            self.finds('src/a.cpp:2', f'<{header}> above the seam', 'src/a.cpp', f'// A.\n#include <{header}>\n')
        for name in ('sim/a.hpp', 'tests/conformance/a.hpp'):
            self.finds(f'{name}:3', '<uv.h> above the seam', name, '// A.\n#pragma once\n#include <uv.h>\n')

        for header in ('time.h', 'ctime', 'netdb.h', 'semaphore.h', 'termios.h', 'ucontext.h', 'io.h', 'process.h', 'sddl.h'):
            self.finds('src/a.cpp:2', f'<{header}> above the seam', 'src/a.cpp', f'// A.\n#include <{header}>\n')
        self.lets_through('src/a.cpp', '// A.\n#include "process.h"\n')
        self.lets_through('sim/explorer/a.hpp', '// A.\n#pragma once\n#include <thread>\n')
        self.finds('sim/a.cpp:2', '<thread> above the seam', 'sim/a.cpp', '// A.\n#include <thread>\n')

    def test_a_world_that_uses_who_runs_it(self):
        include = '#include "explorer/watchdog.hpp"\n'
        self.finds('sim/a.cpp:2', '"explorer/watchdog.hpp" stands above worlds', 'sim/a.cpp', '// A.\n' + include)
        self.lets_through('sim/explorer/a.hpp', '// A.\n#pragma once\n' + include)

    def test_a_forbidden_name_above_the_seam(self):
        for word in (
            'std::this_thread', 'std::random_device', 'std::mutex', 'std::shared_timed_mutex', 'std::recursive_timed_mutex',
            'std::recursive_mutex', 'steady_clock::now', 'system_clock', 'utc_clock', 'clock_gettime', '::time',
        ):
            self.finds('src/a.cpp:3', word, 'src/a.cpp', f'// A.\nvoid f() {{\n  auto x = {word}();\n}}\n')

    def test_system_names_below_the_seam_in_comments_and_in_text(self):
        self.lets_through('platform/x.hpp', '// X.\n#pragma once\n#include <unistd.h>\n#ifdef _WIN32\n#endif\n')
        self.lets_through('src/a.cpp', '// _WIN32\n#include <atomic>\n#include <stop_token>\nauto x = "__linux__";\n')

    def test_a_disabled_test(self):
        for tag in ('[.]', '[.slow]', '[!hide]', '[!mayfail]'):
            self.finds('tests/t.cpp:2', 'disabled test', 'tests/t.cpp', f'// T.\nTEST_CASE("x", "{tag}") {{}}\n')
        self.finds('tests/t.cpp:2', 'disabled test', 'tests/t.cpp', '// T.\nTEST_CASE(\n    "x (y)",\n    "[.]") {}\n')
        for macro in ('TEST_CASE', 'CONFORMANCE_CASE', 'TEMPLATE_TEST_CASE', 'SCENARIO'):
            self.finds('tests/t.cpp:2', 'disabled test', 'tests/t.cpp', f'// T.\n// {macro}("x") {{}}\n')
        self.finds('tests/t.cpp:2', 'disabled test', 'tests/t.cpp', '// T.\n/*\nTEST_CASE("x") {}\n*/\n')
        for condition in ('if defined(X)', 'ifdef X', 'ifndef X'):
            text = f'// T.\n#{condition}\nTEST_CASE("x") {{}}\n#endif\n'
            self.finds('tests/t.cpp:3', 'disabled test', 'tests/t.cpp', text)
        self.lets_through('tests/t.cpp', '// T.\n#ifdef X\nint x;\n#endif\nTEST_CASE("x[0] is [.5]") {}\n')
        self.finds('tests/t.cpp:2', 'switched off', 'tests/t.cpp', '// T.\n#if 0\n#endif\n')
        text = "@unittest.skip('slow')\ndef f():\n    pass\n"
        self.finds('tools/t.py:2', 'disabled test', 'tools/t.py', text)

    def test_a_mark_of_unfinished_work(self):
        for word in ('TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'):
            self.finds('src/a.cpp:2', word, 'src/a.cpp', f'// A.\n// {word}: later\n')
            self.finds('docs/a.md:1', word, 'docs/a.md', f'{word}: later\n')

    def test_a_function_that_is_too_long(self):
        text = f'// A.\n\nint f(int x)\n{{\n{LONG_BODY}}}\n'
        self.finds('src/a.cpp:3', 'a function of 73 lines', 'src/a.cpp', text)
        self.finds('tests/t.cpp:2', 'a function of 72', 'tests/t.cpp', f'// T.\nTEST_CASE("x") {{\n{LONG_BODY}}}\n')
        self.finds('tools/t.py:1', 'a function of 71', 'tools/t.py', 'def f():\n' + '    f()\n' * 70)

    def test_a_long_function_in_every_shape_of_ours(self):
        for head in (
            'template <class T>\n  requires is_result<T>\nauto f(T t) -> std::optional<int>',
            'class x final : public y<z> {\n public:\n  x() : a_{1}, b_(2), c_{} ',
            'namespace a {\nnamespace {\nstruct y { int z = 0; };\nx::operator bool() const noexcept',
            'struct { int a; } b{1};\nconst std::array<int, 2> c = {1, 2};\nvoid f(int a = {}, int b = g({1}))',
            'enum class e : int { a, b };\nconst auto f = [](int a)',
            'const char* t = R"({{{)";\nchar c = \'{\', d = 1\'000;\nvoid f()',
            '#define X {\nvoid f()',
        ):
            text = f'// A.\n{head} {{\n  if (x) {{\n{LONG_BODY}  }}\n}}\n'
            self.finds('src/a.cpp', 'a function of 7', 'src/a.cpp', text)

    def test_long_types_and_namespaces_are_no_functions(self):
        many = ''.join(f'int f{i}() {{\n  return {i};\n}}\n' for i in range(40))
        for head, end in (('namespace a {', '}'), ('template <class T>\nclass x : y<decltype(f())> {', '};')):
            self.lets_through('src/a.cpp', f'// A.\n{head}\n{many}{end}\n')
        values = '  1,\n' * 100
        self.lets_through('src/a.cpp', f'// A.\nconst int a[] = {{\n{values}}};\nint f() {{\n  return 1;\n}}\n')

    def test_a_file_that_is_too_long(self):
        self.finds('src/a.cpp:401', '401 lines', 'src/a.cpp', '// A.\n' * 401)

    def test_a_path_of_this_machine(self):
        self.finds('docs/a.md:1', 'path of this machine', 'docs/a.md', 'see /wor' + 'k/main\n')
        self.finds('docs/a.md:1', 'path of this machine', 'docs/a.md', 'see @ROOT@/src\n')

    def test_white_space_and_line_ends(self):
        self.finds('docs/a.md:2', 'white space', 'docs/a.md', 'a\nb \n')
        self.finds('docs/a.md:1', 'white space', 'docs/a.md', 'a\r\n')
        self.finds('docs/a.md:1', 'no line end', 'docs/a.md', 'a')

    def test_a_file_that_does_not_say_what_it_holds(self):
        self.finds('src/a.cpp:1', 'begin the file with a comment', 'src/a.cpp', 'int a();\n')
        self.finds('include/twinpipe/a.hpp:1', 'pragma once', 'include/twinpipe/a.hpp', '// A.\nint a();\n')

    def test_code_in_the_readme_that_no_example_has(self):
        self.finds('README.md:3', 'no build compiles', 'README.md', '# X\n\n```cpp\nint e();\n```\n')
        self.lets_through('README.md', '# X\n\n```sh\nls\n```\n')
        self.lets_through('docs/a.md', '# X\n\n```cpp\nint e();\n```\n')

    def test_code_in_a_page_that_is_not_what_the_example_has(self):
        page = '<!-- include/e.hpp [part] -->\n```cpp\nint e();\n```\n'
        here = {'include/e.hpp': '// E.\n#pragma once\n// [part]\nint e();\n// [part]\n'}
        self.assertEqual(self.problems(here | {'README.md': page}), [])
        for changed, message in ((page.replace('int e', 'int f'), 'not what include/e.hpp has'), (page.replace('[part', '[p'), 'no part')):
            found = self.problems(here | {'README.md': changed})
            self.assertTrue(any(problem.startswith('README.md:1') and message in problem for problem in found), found)

    def test_text_in_a_page_that_is_not_a_whole_file(self):
        page = '<!-- said.txt -->\n```text\nit said\n```\n'
        self.assertEqual(self.problems({'said.txt': 'it said\n', 'README.md': page}), [])
        for files in ({'said.txt': 'it said more\n'}, {}):
            found = self.problems(files | {'README.md': page})
            self.assertTrue(any(problem.startswith('README.md:1') and 'not that of said.txt' in problem for problem in found), found)


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed, 0 skipped', flush=True)
    sys.exit(1 if failed or not outcome.testsRun else 0)
