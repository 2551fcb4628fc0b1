#!/usr/bin/env python3
"""Every example that a header points to stands, tagged at its start and its end, in a test that is compiled."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = re.compile(r"\\snippet (\S+) (\S+)$", re.MULTILINE)


class Snippets(unittest.TestCase):
    def test_every_reference_leads_to_a_tagged_example(self):
        references = [(header, *found) for header in sorted(ROOT.glob("include/**/*.hpp"))
                      for found in REFERENCE.findall(header.read_text(encoding="utf-8"))]
        self.assertGreater(len(references), 10)
        for header, path, tag in references:
            with self.subTest(header=header.name):
                lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
                self.assertEqual(sum(line.strip() == f"// [{tag}]" for line in lines), 2, f"[{tag}] in {path}")


if __name__ == "__main__":
    unittest.main()
