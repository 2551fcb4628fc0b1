"""No report allocates: neither by malloc and its kin, which are counted, nor from the default resource.

Usage: no_allocation_test.py PRINT_REPORTS
"""

import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)


class NoAllocation(unittest.TestCase):
    def test_reports_call_neither_malloc_nor_the_default_resource(self):
        said = subprocess.run([PROGRAM, "allocations"], text=True, stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(said, "0 of the default resource, 0 calls of malloc, 1 where there is one, written\n")


if __name__ == "__main__":
    unittest.main()
