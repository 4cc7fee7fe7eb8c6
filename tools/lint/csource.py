"""csource.py - just enough C for the linters: code without comments and
strings, its tokens, and its functions. Line numbers survive every step.
"""
import re

LEXEMES = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
TOKENS = re.compile(
    r"""[A-Za-z_]\w*|\d[\w.]*|""|''|<<=|>>=|->|\+\+|--|&&|\|\||[-+*/%&|^<>=!]=|<<|>>|\S|\n""")


def strip(text):
    """Comments become spaces, strings become empty ones; newlines stay."""
    def blank(m):
        s = m.group(0)
        if s[0] in "\"'":
            return s[0] * 2
        return "\n" * s.count("\n") or " "
    return LEXEMES.sub(blank, text)


def comments(text):
    """(line number, comment) of every comment."""
    for m in LEXEMES.finditer(text):
        if m.group(0)[0] == "/":
            yield text.count("\n", 0, m.start()) + 1, m.group(0)


def functions(code):
    """(line of the opening brace, lines from brace to brace) of each function.
    The style puts a function's braces, and nothing else's, alone in column 0."""
    start = None
    for n, line in enumerate(code.splitlines(), 1):
        if line.rstrip() == "{":
            start = n
        elif line.startswith("}") and start is not None:
            yield start, n - start + 1
            start = None


def tokens(code):
    """(line number, token), preprocessor lines included."""
    n = 1
    for m in TOKENS.finditer(code):
        if m.group(0) == "\n":
            n += 1
        else:
            yield n, m.group(0)
