#!/usr/bin/env python3
"""Every rule of rooms.py is seen to fire, and to stay silent where it should."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOMS = pathlib.Path(__file__).resolve().parents[2] / "tools/lint/rooms.py"
CMAKE = """
hs_room(base LIBS mimalloc)
hs_room(wire)
hs_room(ring USES base LIBS ck)
hs_room(core USES base wire)
hs_room(net USES base
            wire ring LIBS uring)
target_link_libraries(hearsay-decode PRIVATE hs_wire)
target_link_libraries(hearsay-bench PRIVATE hs_wire)
set(micro_room_part net)
"""


class Rooms(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.root = pathlib.Path(held.name)
        self.put("CMakeLists.txt", CMAKE)

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def lint(self):
        done = subprocess.run([sys.executable, ROOMS, self.root], capture_output=True, text=True,
                              check=False, timeout=30)
        return done.returncode, done.stdout

    def refuses(self, name, text, complaint):
        self.put(name, text)
        code, out = self.lint()
        self.assertEqual(code, 1, out)
        self.assertIn(complaint, out)
        self.assertIn(name, out)

    def accepts(self, name, text):
        self.put(name, text)
        self.assertEqual(self.lint(), (0, ""))

    def test_a_room_opens_the_doors_it_names(self):
        self.accepts("src/core/a.c", '#include "hearsay/wire.h"\n#include "hearsay/core.h"\n')

    def test_a_table_line_may_be_broken(self):
        self.accepts("src/net/a.c", '#include "hearsay/ring.h"\n')

    def test_a_room_opens_no_other_door(self):
        self.refuses("src/core/a.c", '#include "hearsay/net.h"\n', "core may not open hearsay/net.h")

    def test_a_leaf_opens_no_door(self):
        self.refuses("include/hearsay/wire.h", '#include "hearsay/base.h"\n', "wire may not open")

    def test_a_door_obeys_its_room(self):
        self.refuses("include/hearsay/ring.h", '#  include <hearsay/core.h>\n', "ring may not open")

    def test_a_comment_is_no_include(self):
        self.accepts("src/core/a.c", '/* see #include "hearsay/net.h" */\n')

    def test_the_daemon_stands_on_every_room(self):
        self.accepts("src/daemon/main.c", '#include "hearsay/net.h"\n#include <pthread.h>\n')

    def test_a_directory_without_a_line_is_no_room(self):
        self.refuses("src/attic/a.c", "int x;\n", "attic is not a room")

    def test_an_edge_that_points_up_is_refused(self):
        self.refuses("CMakeLists.txt", "hs_room(base USES wire)\nhs_room(wire)\n",
                     "base uses wire, which is not a room above it")

    def test_a_file_without_rooms_is_refused(self):
        self.refuses("CMakeLists.txt", "project(x)\n", "no hs_room() line")

    def test_the_load_tool_opens_what_it_links(self):
        self.put("bench/run.h", "")
        self.accepts("bench/run.c", '#include "hearsay/wire.h"\n#include "run.h"\n')
        self.refuses("bench/run.c", '#include "hearsay/core.h"\n', "may not open hearsay/core.h")

    def test_a_micro_benchmark_sees_its_room(self):
        self.put("src/net/net_int.h", "")
        self.accepts("bench/micro/bench_part.c", '#include "net_int.h"\n')
        self.accepts("bench/micro/bench_core.c", '#include "hearsay/core.h"\n')
        self.refuses("bench/micro/bench_core.c", '#include "hearsay/net.h"\n', "may not open")

    def test_private_headers_are_seen_by_their_room(self):
        self.put("src/core/core_int.h", "")
        self.accepts("src/core/a.c", '#include "core_int.h"\n')

    def test_private_headers_are_not_seen_by_others(self):
        self.put("src/core/core_int.h", "")
        self.refuses("src/net/a.c", '#include "core_int.h"\n', "another room's private header")

    def test_private_headers_are_not_reached_by_a_path(self):
        self.put("src/core/core_int.h", "")
        self.refuses("src/net/a.c", '#include "../core/core_int.h"\n',
                     "another room's private header")

    def test_a_door_includes_no_private_header(self):
        self.put("src/core/core_int.h", "")
        self.refuses("include/hearsay/core.h", '#include "core_int.h"\n',
                     "another room's private header")

    def test_a_unit_test_sees_its_room_inside(self):
        self.put("src/core/core_int.h", "")
        self.accepts("tests/unit/check_core_a.c",
                     '#include "core_int.h"\n#include "hearsay/base.h"\n')

    def test_what_unit_tests_share_belongs_to_their_room(self):
        self.put("src/core/core_int.h", "")
        self.accepts("tests/unit/core_world.h", '#include "core_int.h"\n')
        self.refuses("tests/unit/net_world.h", '#include "core_int.h"\n',
                     "another room's private header")

    def test_a_unit_test_sees_no_other_room_inside(self):
        self.put("src/core/core_int.h", "")
        self.refuses("tests/unit/check_net_a.c", '#include "core_int.h"\n',
                     "another room's private header")

    def test_a_unit_test_stays_on_its_floors(self):
        self.refuses("tests/unit/check_core_a.c", '#include "hearsay/net.h"\n', "may not open")

    def test_a_program_opens_what_it_links(self):
        self.accepts("tools/hearsay-decode.c", '#include "hearsay/wire.h"\n')
        self.refuses("tools/hearsay-decode.c", '#include "hearsay/core.h"\n', "may not open")

    def test_system_headers_have_their_rooms(self):
        for header, home in (("liburing.h", "net"), ("ck_ring.h", "ring"), ("mimalloc.h", "base"),
                             ("pthread.h", "ring"), ("sys/socket.h", "net"), ("time.h", "base")):
            with self.subTest(header=header):
                self.refuses("src/core/a.c", f"#include <{header}>\n", f"<{header}> belongs in")
                self.put("src/core/a.c", "")
                self.accepts(f"src/{home}/b.c", f"#include <{header}>\n")
                self.put(f"src/{home}/b.c", "")

    def test_a_door_may_not_show_a_system_header_of_another_room(self):
        self.refuses("include/hearsay/wire.h", "#include <liburing.h>\n", "belongs in net")


if __name__ == "__main__":
    unittest.main()
