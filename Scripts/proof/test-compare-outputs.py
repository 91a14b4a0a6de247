#!/usr/bin/env python3
"""Tests compare-outputs.py with programs that write what a test says."""
import importlib.util
import os
import shutil
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare-outputs.py")
sys.path.insert(0, os.path.dirname(SCRIPT))
specification = importlib.util.spec_from_file_location("compare_outputs", SCRIPT)
outputs = importlib.util.module_from_spec(specification)
specification.loader.exec_module(outputs)

# What a program of the tests is called with: analyze [-q] -T FORMAT -j WORKERS FILE.
PROGRAM = """#!/bin/sh
quiet=""; [ "$2" = -q ] && { quiet=q; shift; }
case $quiet$3 in
  jsonl) echo '{"type":"attempt","id":1,"outcome":"OUTCOME"}' ;;
  json) echo '{"attempts":[{"type":"attempt","id":1,"outcome":"established"}],"summary":{"type":"summary","total":1}}' ;;
  qjson) echo '{"summary":{"type":"summary","total":1}}' ;;
  csv) printf 'id,outcome\\n1,established\\n' ;;
  *) echo "of $5 WORD" ;;
esac
"""


class CompareOutputsTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="synscope-compare-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.capture = outputs.Capture("Captures/a.pcap", "a.pcap")

    def program(self, name, word="workers", outcome="established"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(PROGRAM.replace("of $5 WORD", word).replace("OUTCOME", outcome))
        os.chmod(path, 0o755)
        return path

    def test_equal_programs_have_no_differences(self):
        found, runs, octets = outputs.compare(self.capture, self.program("now"), self.program("base"))
        self.assertEqual((found, runs), ([], 2 * len(outputs.FORMATS) * len(outputs.WORKERS)))
        self.assertGreater(octets, 0)

    def test_a_word_that_differs_is_told_with_its_line_and_octet(self):
        found, _, _ = outputs.compare(self.capture, self.program("now", word="wonders"), self.program("base"))
        self.assertEqual({one.form for one in found}, {"text", "text-summary"})
        self.assertIn("line 1, octet 3", found[0].what)

    def test_an_output_that_depends_on_the_workers_is_found_without_a_base(self):
        found, _, _ = outputs.compare(self.capture, self.program("now", word="of $5"), None)
        self.assertEqual([one.workers for one in found if one.form == "text"], [2, 3, 7])
        self.assertTrue(all(one.what.startswith("beside -j 1") for one in found))

    def test_formats_that_say_otherwise_are_found_without_a_base(self):
        found, _, _ = outputs.compare(self.capture, self.program("now", outcome="refused"), None)
        self.assertEqual([one.what for one in found], ["JSON and JSON Lines have other attempts"])

    def test_an_exception_names_captures_by_a_pattern_and_one_format_or_all(self):
        difference = outputs.Difference(self.capture, "text", 1, "line 1")
        rows = [("Tests/*", "*", "a"), ("Captures/*", "csv", "b"), ("Captures/*", "*", "c")]
        self.assertEqual(outputs.exception(rows, difference), rows[2])
        self.assertIsNone(outputs.exception(rows[:2], difference))

    def test_a_run_that_does_not_end_is_a_difference_and_ends_nothing(self):
        outputs.LONGEST = 0.2
        self.addCleanup(setattr, outputs, "LONGEST", 120)
        text = outputs.output(self.program("now", word="x\"; exec sleep 5; \""), self.capture, "text", 1)
        self.assertIn(b"no end", text)

    def test_a_missing_last_line_is_a_difference(self):
        self.assertIn("line 2", outputs.first_difference(b"one\ntwo", b"one", ("before", "now")))


if __name__ == "__main__":
    unittest.main()
