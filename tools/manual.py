#!/usr/bin/env python3
"""manual.py OUT_DIR PROGRAM... - man pages and shell completions.

Everything that could become untrue is taken from what each PROGRAM prints for
--help, which itself comes from the tables that the programs run by. Here is
only what --help has no room for. Writes OUT_DIR/man/NAME.SECTION, and
OUT_DIR/bash/NAME and OUT_DIR/zsh/_NAME.
"""
import os
import pathlib
import re
import subprocess
import sys
import textwrap
import time

SECTION = {"hearsayd": 8, "hearsay.conf": 5}
ABOUT = {
    "hearsayd": "Redis Cluster bus server",
    "hearsay.conf": "configuration of the Redis Cluster bus server",
    "hearsay-bench": "play a whole cluster to one node and measure it",
    "hearsay-sim": "run clusters in virtual time",
    "hearsay-decode": "print Redis Cluster bus frames",
}
# After the options: (title, paragraphs), where a pair is an item of a list.
MORE = {
    "hearsayd": [
        ("DIRECTIVES", ["Every directive of .Xr hearsay.conf 5 is an option too, as "
                        "--name value or --name=value."]),
        ("SIGNALS", [("SIGTERM, SIGINT", "Stop: the state is saved, links are closed."),
                     ("SIGHUP", "Open the log file again, load TLS certificates and keys again.")]),
        ("FILES", [("/etc/hearsay/hearsay.conf", "What the systemd unit reads."),
                   ("/var/lib/hearsay/nodes.conf", "What the node knows; never edited by hand.")]),
        ("EXIT STATUS", [
            ("0", "A clean stop, or what was asked for was printed."),
            ("1", "The configuration is wrong, or nodes.conf has content that would be lost."),
            ("2", "The environment refuses: a port, io_uring, permissions, a limit."),
            ("3", "A broken invariant; the last line of the log names it.")]),
    ],
    "hearsay-bench": [
        ("EXAMPLES", ["hearsay-bench --target 127.0.0.1:7000 --peers 1000 --mode flood"])],
    "hearsay-sim": [
        ("EXAMPLES", ["hearsay-sim --nodes 100 --kill 33% --at 60s --heal-at 90s"])],
    "hearsay-decode": [("EXAMPLES", ["hearsay-decode --gossip bus.pcap"])],
}
CONF_HEAD = ["A file has one directive a line: a name, blanks, and its value. A value with blanks "
             "stands in double or single quotes. A line that begins with # is a remark.",
             "It is a redis.conf: directives of a data store are accepted and ignored, and include "
             "is followed. The command line wins over the file. hearsayd FILE --check-config says "
             "whether a file is valid.",
             "A directive marked as live can be changed with CONFIG SET while the server runs."]
FILES = re.compile(r"^(dir|logfile|pidfile|unixsocket|FILE\S*)$|-(file|dir)$")

ROW = re.compile(r"^  --(\S+)  \[(.*)\]$")
OPTION = re.compile(r"^  (--[a-z].*?)(?:  +(.*))?$")


class Option:
    """One option of --help: its words ("--seed S"), and lines of text."""

    def __init__(self, words, text):
        if (text or "").startswith("--"):  # "--help  --version"
            words, text = f"{words}, {text}", ""
        self.words, self.lines = words, [text] if text else []

    def names(self):
        return re.findall(r"--[a-z][a-z0-9-]*", self.words)

    def text(self):
        return " ".join(line.strip() for line in self.lines)

    def table(self):
        return self.lines[:1] + textwrap.dedent("\n".join(self.lines[1:])).splitlines()

    def is_table(self):
        return any(re.search(r"\S   +\S", line) for line in self.lines)


class Directive:
    def __init__(self, name, bracket):
        m = re.fullmatch(r"(.*?); default (.*?)(; live)?", bracket)
        self.name, self.lines = name, []
        self.range, self.default, self.live = m.group(1), m.group(2), m.group(3) is not None

    def choices(self):
        return self.range.split("|") if re.fullmatch(r"[\w|-]+", self.range) \
            and "|" in self.range else []


class Help:
    """What --help says, taken apart; a line that fits nowhere is prose."""

    def __init__(self, text):
        self.usage, self.prose, self.options, self.groups, self.rest = [], [], [], [], []
        self.title = ""  # what a first line "PROGRAM - does this" says
        part = "usage"
        for line in text.splitlines():
            row, option = ROW.match(line), OPTION.match(line)
            title = re.match(r"^(\S.*) \(live: .*\):$", line)
            if row and self.groups:
                self.groups[-1][1].append(Directive(*row.groups()))
            elif title:
                self.groups.append((title.group(1), []))
                part = "groups"
            elif option and part != "groups":
                self.options.append(Option(*option.groups()))
                part = "options"
            elif part == "usage" and " - " in line and not line.startswith(("usage:", " ")):
                self.title = line.partition(" - ")[2].capitalize() + "."
            elif part == "usage" and line.startswith(("usage:", "  ")):
                self.usage.append(line)
            elif part == "groups" and line.startswith("   "):
                self.groups[-1][1][-1].lines.append(line.strip())
            elif part == "options" and line.startswith("    "):
                self.options[-1].lines.append(line)
            elif part == "options" and line and not line.startswith(" ") and not line[0].isupper():
                self.options[-1].lines.append(line)  # a long string that a formatter has cut
            elif part == "usage" and not line:
                continue
            elif part in ("usage", "prose"):
                part = "prose"
                self.prose.append(line)
            elif line or self.rest:
                part = "rest"
                self.rest.append(line)


def esc(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def paragraph(text):
    """Text lines; a sentence begins a line, and ".Xr name section" stands alone."""
    out = []
    for sentence in re.split(r"(?<=[.:;!?]) +(?=[A-Z\"(])", text.strip()):
        for piece in re.split(r"(\.Xr \S+ \d)", sentence):
            if piece.startswith(".Xr "):
                out.append(piece)
            else:
                out += map(esc, textwrap.wrap(piece.strip(), 70, break_on_hyphens=False,
                                              break_long_words=False))
    return fold_punctuation(out)


def fold_punctuation(lines):
    out = []
    for line in lines:
        m = re.match(r"^(?:\\&)?([,.)])(?: (.*))?$", line)
        if out and out[-1].startswith(".Xr ") and m:
            out[-1] += " " + m.group(1)
            line = m.group(2)
        if line:
            out.append(line)
    return out


def literal(lines):
    return [".Bd -literal", *(esc(line.rstrip()) for line in lines), ".Ed"]


def items(pairs):
    out = [".Bl -tag -width Ds"]
    for head, body in pairs:
        out += [".It " + esc(head), *body]
    return out + [".El"]


def page(name, body, also):
    section = SECTION.get(name, 1)
    made = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    out = [time.strftime(".Dd %B %e, %Y", made), f".Dt {name.upper()} {section}", ".Os",
           ".Sh NAME", ".Nm " + name, ".Nd " + ABOUT[name], *body, ".Sh SEE ALSO"]
    also = sorted((SECTION.get(a, 1), a) for a in also if a != name)
    out += [f".Xr {a} {s} ," for s, a in also[:-1]] + [f".Xr {also[-1][1]} {also[-1][0]}"]
    return "\n".join(out) + "\n"


def program_page(name, text, all_names):
    body = [".Sh SYNOPSIS", *literal([line.removeprefix("usage:").strip()
                                      for line in text.usage])]
    body += [".Sh DESCRIPTION"]
    prose = "\n".join(text.prose).strip() or text.title
    body += paragraph(prose.replace("\n", " "))
    body += [".Sh OPTIONS"] + items(
        (o.words, literal(o.table()) if o.is_table() else paragraph(o.text()))
        for o in text.options)
    rest, _, status = "\n".join(text.rest).partition("Exit status: ")
    if rest.strip():
        body += [".Sh NOTES", *literal(rest.strip("\n").splitlines())]
    more = list(MORE[name])
    if status:
        more.insert(0, ("EXIT STATUS", [" ".join(status.split())]))
    for title, entries in more:
        body.append(".Sh " + title)
        if title == "EXAMPLES":
            body += literal(entries)
        elif isinstance(entries[0], tuple):
            body += items((head, paragraph(what)) for head, what in entries)
        else:
            body += [line for entry in entries for line in paragraph(entry)]
    return page(name, body, all_names)


def conf_page(groups, all_names):
    body = [".Sh DESCRIPTION"]
    for i, text in enumerate(CONF_HEAD):
        body += ([".Pp"] if i else []) + paragraph(text)
    for title, rows in groups:
        body += [".Sh " + title.upper()]
        body += items((d.name, [
            *(line for text in d.lines for line in paragraph(text)),
            *paragraph(f"Value: {d.range}; default: {d.default}"
                       + ("; live." if d.live else "."))]) for d in rows)
    return page("hearsay.conf", body, all_names)


def completed(name, text):
    """(option, one line about it, choices, takes a file, takes a value)."""
    for option in text.options:
        for n in option.names():
            value = re.search(re.escape(n) + r"[ =]([^ ,-][^ ,]*)", option.words)
            table = option.table() if option.is_table() else []
            yield (n, table[0] if table else option.text().split(". ")[0],
                   [line.split()[0] for line in table],
                   bool(value and FILES.search(value.group(1))), bool(value))
    for _, rows in text.groups:
        for d in rows:
            yield "--" + d.name, d.lines[0], d.choices(), bool(FILES.search(d.name)), True


def bash(name, text):
    rows = list(completed(name, text))
    func = "_" + name.replace("-", "_")
    out = [f"# bash completion for {name}, made from its --help", func + "() {",
           '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}',
           "    COMPREPLY=()", '    case "$before" in']
    for option, _, choices, is_file, takes in rows:
        if choices:
            out += [f"    {option})", f"        mapfile -t COMPREPLY < <(compgen -W "
                    f"'{' '.join(choices)}' -- \"$word\")", "        return", "        ;;"]
        elif is_file:
            out += [f"    {option})", '        mapfile -t COMPREPLY < <(compgen -f -- "$word")',
                    "        return", "        ;;"]
        elif takes:
            out += [f"    {option})", "        return", "        ;;"]
    out += ["    esac", '    case "$word" in', "    -*)",
            "        mapfile -t COMPREPLY < <(compgen -W '" + " ".join(r[0] for r in rows)
            + "' -- \"$word\")", "        ;;",
            '    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;', "    esac", "}",
            f"complete -o filenames -F {func} {name}"]
    return "\n".join(out) + "\n"


def zsh(name, text):
    out = [f"#compdef {name}", f"# zsh completion for {name}, made from its --help",
           "_arguments \\"]
    for option, about, choices, is_file, takes in completed(name, text):
        about = re.sub(r"\s+", " ", about).translate(
            str.maketrans({"[": "(", "]": ")", "'": "'\\''", ":": ",", "\\": ""}))
        action = "(" + " ".join(choices) + ")" if choices else "_files" if is_file else " "
        out.append(f"    '{option}[{about}]" + (f":value:{action}" if takes else "") + "' \\")
    return "\n".join(out) + "\n    '*:file:_files'\n"


def main(out, programs):
    helps = {}
    for program in map(pathlib.Path, programs):
        done = subprocess.run([program.resolve(), "--help"], capture_output=True, text=True,
                              check=True, stdin=subprocess.DEVNULL, timeout=60)
        helps[program.name] = Help(done.stdout)
    names = [*helps, "hearsay.conf"]
    pages = {name: program_page(name, text, names) for name, text in helps.items()}
    pages["hearsay.conf"] = conf_page(helps["hearsayd"].groups, names)
    for sub in ("man", "bash", "zsh"):
        (out / sub).mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (out / "man" / f"{name}.{SECTION.get(name, 1)}").write_text(text)
    for name, text in helps.items():
        (out / "bash" / name).write_text(bash(name, text))
        (out / "zsh" / ("_" + name)).write_text(zsh(name, text))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
