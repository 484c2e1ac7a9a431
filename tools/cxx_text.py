# C++ source as text: without comments and literals, and where its functions begin and end. No parser, but enough for
# code that clang-format has laid out.
import re

LITERAL_OR_COMMENT = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<mark>[^ ()\\\n]*)\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])(?:u8|[uUL])?'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)
ACCESS = re.compile(r'\b(?:public|private|protected)\s*:')
TYPE_HEAD = re.compile(r'\b(?:class|struct|union|enum)\b')
MEMBER_INITIALISERS = re.compile(r'\)[\w\s]*(?<!:):(?!:)')


def blank(text):
    """As many spaces and line ends, so that positions stay."""
    return re.sub(r'[^\n]', ' ', text)


def without_comments(source, keep_strings=False):
    """The source with comments and, unless kept, literals blanked; positions and lines stay."""

    def replace(match):
        text = match.group(0)
        is_comment = text.startswith(('//', '/*'))
        return text if keep_strings and not is_comment else blank(text)

    return LITERAL_OR_COMMENT.sub(replace, source)


def comments(source):
    """(position, text) of every comment; lines of `//` that follow each other are several."""
    for match in LITERAL_OR_COMMENT.finditer(source):
        if match.group(0).startswith(('//', '/*')):
            yield match.start(), match.group(0)


def without_directives(code):
    """Preprocessor lines blanked, with their continuations."""
    return re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', lambda match: blank(match.group(0)), code, flags=re.MULTILINE)


def without_template_lists(head):
    """`template <...>` prefixes cut off, so that `template <class T>` doesn't look like a class."""
    while match := re.search(r'\btemplate\s*<', head):
        depth, end = 1, match.end()
        while depth and end < len(head):
            depth += {'<': 1, '>': -1}.get(head[end], 0)
            end += 1
        head = head[: match.start()] + head[end:]
    return head


def kind_of_block(head, parentheses):
    """What a brace opens, by the text since the last statement: namespace, type, function, or a mere part of one."""
    if parentheses:
        return 'part'
    head = ACCESS.sub('', without_template_lists(head)).strip()
    if re.match(r'(?:inline\s+)?namespace\b', head) or head == 'extern':
        return 'namespace'
    if TYPE_HEAD.match(head) or (TYPE_HEAD.search(head) and '(' not in head):
        return 'type'
    if MEMBER_INITIALISERS.search(head) and re.search(r'[\w>]$', head):
        return 'part'
    return 'function' if '(' in head else 'part'


def functions(source):
    """(first line, last line) of every function body with its signature; what stands inside functions is theirs."""
    code = without_directives(without_comments(source))
    spans, stack, parentheses, head_start = [], [], 0, 0
    for at, char in enumerate(code):
        if 'function' in stack and char not in '{}':
            continue
        if char in '()':
            parentheses += 1 if char == '(' else -1
        elif char == ';' and not parentheses:
            head_start = at + 1
        elif char == '{':
            inside = 'function' in stack
            kind = 'part' if inside else kind_of_block(code[head_start:at], parentheses)
            stack.append(kind)
            if kind in ('namespace', 'type'):
                head_start = at + 1
        elif char == '}' and stack:
            kind = stack.pop()
            if kind == 'function':
                text_start = head_start + len(code[head_start:at]) - len(code[head_start:at].lstrip())
                spans.append((code.count('\n', 0, text_start) + 1, code.count('\n', 0, at) + 1))
            if kind != 'part':
                head_start = at + 1
    return spans
