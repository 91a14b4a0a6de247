#!/usr/bin/env python3
"""Tests mutate.py with a project of one file and a swift that does what the file says."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutate.py")
SWIFT = """#!/bin/sh
file=Sources/PacketWire/a.swift
if [ "$1" = build ]; then
  if grep -q BROKEN $file; then echo "a.swift:1: error: broken"; exit 1; fi
  if grep -q ENDLESS-BUILD $file; then sleep 60; fi
  if grep -q WARNING $file && [ -n "$SYNSCOPE_WERROR" ]; then exit 1; fi
  exit 0
fi
echo "$*" >> "$LOG"
# A child that holds the output open, as a test runner's does.
if grep -q ENDLESS $file; then sleep 60 & sleep 60; fi
grep -q GOOD $file
"""
FILE = "one\ntwo\nthree\nfour\nfour\nGOOD\n"


class MutateTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="synscope-mutate-")
        self.addCleanup(shutil.rmtree, self.folder)
        for name, text in (("bin/swift", SWIFT), ("project/Sources/PacketWire/a.swift", FILE)):
            self.write(name, text)
        os.chmod(os.path.join(self.folder, "bin/swift"), 0o755)
        os.makedirs(os.path.join(self.folder, "project/Scripts/proof"))
        for name in ("mutate.py", "tenths.py"):
            shutil.copy(os.path.join(os.path.dirname(SCRIPT), name), os.path.join(self.folder, "project/Scripts/proof"))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(text)

    def run_rows(self, rows, *arguments):
        self.write("project/Scripts/proof/mutations.tsv", "# comment\n" + "".join(row + "\n" for row in rows))
        environment = dict(
            os.environ, PATH=self.folder + "/bin:" + os.environ["PATH"], LOG=self.folder + "/log", SYNSCOPE_WERROR="1")
        done = subprocess.run(
            [sys.executable, os.path.join(self.folder, "project/Scripts/proof/mutate.py"), *arguments], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50)
        return done.returncode, done.stdout

    def ends(self, old, new, *arguments):
        return self.run_rows([f"PacketWire/a.swift\t{old}\t{new}"], *arguments)

    def test_a_mutant_whose_tests_fail_is_noticed(self):
        status, output = self.ends("GOOD", "BAD")
        self.assertEqual(status, 0)
        self.assertIn("of 1 mutations 1 noticed (100.0 %), 0 survived, 0 not built, 0 not found", output)

    def test_a_file_is_found_in_a_folder_of_its_module(self):
        self.write("project/Sources/PacketWire/Decode/b.swift", "one\n")
        _, output = self.run_rows(["PacketWire/b.swift\tone\t1"], "--check")
        self.assertIn("1 rows can be used", output)

    def test_a_file_of_which_there_are_two_cannot_be_used(self):
        self.write("project/Sources/PacketWire/Decode/a.swift", "one\n")
        status, output = self.run_rows(["PacketWire/a.swift\tone\t1"], "--check")
        self.assertEqual(status, 1)
        self.assertIn("there is no such file, or more than one", output)

    def test_a_mutant_whose_tests_pass_survives(self):
        status, output = self.ends("one", "1")
        self.assertEqual(status, 1)
        self.assertIn("SURVIVES: 1 PacketWire/a.swift: one", output)

    def test_a_mutant_whose_tests_do_not_end_is_noticed(self):
        status, output = self.ends("one", "ENDLESS", "--timeout", "1")
        self.assertEqual(status, 0)
        self.assertIn("noticed (timeout)", output)

    def test_a_mutant_that_does_not_build_is_a_failure_at_the_end(self):
        for word in ("BROKEN", "ENDLESS-BUILD"):
            rows = [f"PacketWire/a.swift\tone\t{word}", "PacketWire/a.swift\tGOOD\tBAD"]
            status, output = self.run_rows(rows, "--timeout", "1", "--least", "0")
            self.assertEqual(status, 1)
            self.assertIn("NOT BUILT: 1 ", output)
            self.assertIn("of 2 mutations 1 noticed", output)

    def test_a_mutant_with_a_warning_is_built(self):
        status, _ = self.ends("GOOD", "WARNING")
        self.assertEqual(status, 0)

    def test_a_text_that_does_not_stand_there_once_is_a_failure_at_the_end(self):
        rows = [
            "PacketWire/a.swift\tfour\t4", "PacketWire/a.swift\tfive\t5", "PacketWire/b.swift\tone\t1",
            "PacketWire/a.swift\tone", "PacketWire/a.swift\tone\tone", "PacketWire/a.swift\tGOOD\tBAD",
        ]
        status, output = self.run_rows(rows, "--least", "0")
        self.assertEqual(status, 1)
        self.assertIn("of 6 mutations 1 noticed (16.7 %), 0 survived, 0 not built, 5 not found", output)
        status, output = self.run_rows(rows, "--check")
        self.assertEqual((status, output.count("mutations.tsv: row")), (1, 5))

    def test_check_passes_rows_that_can_be_used(self):
        status, output = self.ends("one\\ntwo", "1\\n2", "--check")
        self.assertEqual(status, 0)
        self.assertIn("1 rows can be used", output)

    def test_a_tenth_is_every_tenth_row(self):
        rows = [f"PacketWire/a.swift\tGOOD\tBAD {number}" for number in range(1, 26)]
        _, output = self.run_rows(rows, "--tenth", "4")
        self.assertIn("mutations 5, 15, 25\n", output)
        _, output = self.run_rows(rows, "--tenth", "today")
        self.assertRegex(output, r"tenth \d, of day \d+ of the year")

    def test_the_tests_of_the_mutants_module_run(self):
        self.write("project/Sources/HandshakeAnalysis/a.swift", "one\n")
        self.run_rows(["PacketWire/a.swift\tGOOD\tBAD", "HandshakeAnalysis/a.swift\tone\t1"])
        with open(self.folder + "/log", encoding="utf-8") as handle:
            filters = [line.split("--filter ")[1].strip() for line in handle]
        self.assertEqual(filters, ["PacketWireTests", "HandshakeAnalysisTests|HandshakeRecordTests|ScenarioTests|SimulationTests"])

    def test_a_kept_folder_follows_the_project(self):
        copy = os.path.join(self.folder, "kept")
        self.ends("GOOD", "BAD", "--folder", copy)
        self.write("project/Sources/PacketWire/a.swift", FILE + "six\n")
        status, _ = self.ends("GOOD", "BAD", "--folder", copy)
        with open(os.path.join(copy, "project/Sources/PacketWire/a.swift"), encoding="utf-8") as handle:
            self.assertEqual(handle.read(), FILE + "six\n")
        self.assertEqual(status, 0)


if __name__ == "__main__":
    unittest.main()
