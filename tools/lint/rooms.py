#!/usr/bin/env python3
"""rooms.py [ROOT] - who may include whom, and where system headers belong.

The table of rooms is not here: it is read from the hs_room() lines of
CMakeLists.txt, so that what links and what includes are one decision. A room
opens the doors (include/hearsay/ROOM.h) of the rooms it names there, and its
own. Private headers are only seen by their own room and its unit tests.
"""
import pathlib
import re
import sys

# The system headers that mark a job, and the only rooms that have that job.
SYSTEM_ONLY_IN = [
    (r"liburing(/|\.h$)", {"net"}),
    (r"ck_", {"ring"}),
    (r"mimalloc", {"base"}),
    (r"microhttpd\.h$", {"metrics"}),
    (r"pthread\.h$|threads\.h$", {"base", "ring", "store", "daemon"}),
    (r"sys/socket\.h$|netinet/tcp\.h$|netdb\.h$|sys/un\.h$", {"net", "daemon", "base", "metrics"}),
    (r"sys/time\.h$|time\.h$", {"base", "store", "owner", "daemon"}),
]

ROOM_LINE = re.compile(r"^hs_room\(\s*([a-z]+)([^)]*)\)", re.MULTILINE)
LINK_LINE = re.compile(r"target_link_libraries\(\s*([\w-]+)\s([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_table(cmake):
    """Room -> rooms it may use; daemon stands on all of them."""
    table = {}
    bad = []
    for m in ROOM_LINE.finditer(cmake):
        uses = re.search(r"\bUSES\b(.*?)(?:\bLIBS\b|$)", m.group(2), re.DOTALL)
        table[m.group(1)] = set(uses.group(1).split()) if uses else set()
        for used in sorted(table[m.group(1)] - set(table)):
            bad.append(f"CMakeLists.txt: {m.group(1)} uses {used}, which is not a room above it")
    table["daemon"] = set(table)
    return table, bad


def floors(table, room):
    """The room and everything below it."""
    seen, todo = set(), [room]
    while todo:
        r = todo.pop()
        if r not in seen:
            seen.add(r)
            todo.extend(table.get(r, ()))
    return seen


def linked_rooms(cmake, target):
    words = [w for t, w in LINK_LINE.findall(cmake) if t == target]
    return {w[3:] for w in " ".join(words).split() if w.startswith("hs_")}


def micro_room(cmake, table, name):
    """bench/micro/bench_ROOM.c measures that room; its helpers know only frames."""
    what = name.removeprefix("bench_")
    part = re.search(rf"^set\(micro_room_{what} (\w+)\)", cmake, re.MULTILINE)
    room = part.group(1) if part else what
    return room if room in table else "wire"


def place(rel, table, cmake):
    """(room or None, doors it may open, directory of its private headers)."""
    top, name = rel.parts[0], rel.stem
    if top == "include":
        return name, table.get(name, set()) | {name}, None
    if top == "src":
        room = rel.parts[1]
        return room, table.get(room, set()) | {room}, pathlib.PurePath("src", room)
    if top == "tests":
        m = re.match(r"(?:check_|fuzz_)?([a-z]+)", name)
        room = m.group(1) if m and m.group(1) in table else "daemon"
        private = "bench" if m and m.group(1) == "bench" else f"src/{room}"
        return None, floors(table, room), pathlib.PurePath(private)
    if top == "bench" and rel.parts[1] == "micro":
        room = micro_room(cmake, table, name)
        return None, floors(table, room), pathlib.PurePath("src", room)
    doors = set()
    for room in linked_rooms(cmake, "hearsay-bench" if top == "bench" else name):
        doors |= floors(table, room)
    return None, doors, None


def check_include(root, rel, where, kind, what, bad):
    room, doors, private = where
    if what.startswith("hearsay/"):
        target = pathlib.PurePath(what).stem
        if target not in doors:
            bad.append(f"{room or rel.name} may not open {what}: it is not among the rooms it uses")
    elif kind == '"':
        beside = root / rel.parent / what
        shared = rel.parts[0] == "tests" and (root / "tests" / what).exists()
        own = private is not None and (root / private / what).exists() and "/" not in what
        if "/" in what or not (own or shared or beside.exists()):
            bad.append(f"{what} is another room's private header")
    elif room is not None:
        for pattern, rooms in SYSTEM_ONLY_IN:
            if re.match(pattern, what) and room not in rooms:
                bad.append(f"<{what}> belongs in {', '.join(sorted(rooms))}, not in {room}")


def check_file(root, rel, table, cmake):
    bad = []
    where = place(rel, table, cmake)
    if where[0] is not None and where[0] not in table:
        return [f"{rel}: {where[0]} is not a room (CMakeLists.txt has no hs_room() line for it)"]
    for n, line in enumerate((root / rel).read_text().splitlines(), 1):
        m = INCLUDE.match(line)
        found = []
        if m:
            check_include(root, rel, where, m.group(1), m.group(2), found)
        bad += [f"{rel}:{n}: {text}" for text in found]
    return bad


def main(root):
    cmake = (root / "CMakeLists.txt").read_text()
    table, bad = read_table(cmake)
    if len(table) == 1:
        bad.append("CMakeLists.txt: no hs_room() line found")
    for top in ("include", "src", "tests", "tools", "bench"):
        for path in sorted((root / top).rglob("*.[ch]")):
            bad += check_file(root, path.relative_to(root), table, cmake)
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
