#!/usr/bin/env python3
"""Looks at GET /memory in a real browser, headless, as a person would see it.

Usage: page_test.py SERVICE [PICTURE.png] [unittest arguments]

Drives Chromium by chromedriver (W3C WebDriver). The picture, where one is named, is kept to be looked at.
Exit status 77 (skipped) where chromium or chromedriver is not installed; Debian: chromium, chromium-driver.
"""

import pathlib
import struct
import sys
import unittest
import zlib

from service import Service, document

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from browser import Browser, is_installed, wait  # noqa: E402

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "service"
PICTURE = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1].endswith(".png") else None
WIDTH, HEIGHT = 1100, 900


def pixels(png):
    """(width, height, rows of (r, g, b)) of a PNG of 8 bits a sample, as Chromium makes it."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, width, height, step = 8, b"", 0, 0, 0
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert depth == 8 and colour in (2, 6)
            step = 3 if colour == 2 else 4
        packed += body if kind == b"IDAT" else b""
        at += size + 12
    plain = zlib.decompress(packed)
    stride = width * step
    rows, above = [], bytearray(stride)
    for y in range(height):
        method = plain[y * (stride + 1)]
        row = bytearray(plain[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left = row[x - step] if x >= step else 0
            corner = above[x - step] if x >= step else 0
            row[x] = (row[x] + predicted(method, left, above[x], corner)) & 255
        rows.append([tuple(row[x:x + 3]) for x in range(0, stride, step)])
        above = row
    return width, height, rows


def predicted(method, left, up, corner):
    if method == 4:
        guess = left + up - corner
        return min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
    return (0, left, up, (left + up) // 2)[method]


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(PROGRAM, "--tenant", "alpha", "--tenant", "beta=256KiB")
        cls.addClassCleanup(cls.service.__exit__)
        cls.browser = Browser(WIDTH, HEIGHT)
        cls.addClassCleanup(cls.browser.close)
        for tenant, size in (("alpha", 1 << 20), ("beta", 1 << 20), ("someone", 4 << 10)):
            cls.service.ask("POST", "/words", document(size), {"Content-Type": "application/json", "X-Tenant": tenant})
        cls.browser.open(cls.service.url + "/memory")
        wait(lambda: "alpha" in cls.browser.text())

    def box(self, text):
        """Where the smallest element with exactly this text is, in pixels."""
        return self.browser.run(
            "const t = arguments[0]; const all = [...document.querySelectorAll('body *')]"
            ".filter(e => e.innerText && e.innerText.trim() === t);"
            "if (!all.length) return null; const b = all[all.length - 1].getBoundingClientRect();"
            "return {x: b.x, y: b.y, width: b.width, height: b.height}", text)

    def test_the_levels_and_tenants_are_there_with_their_figures(self):
        text = self.browser.text()
        for word in ("process", "alpha", "beta", "other", "256 KiB", "128 MiB"):
            self.assertIn(word, text)

    def test_nothing_is_cut_off_at_the_side_and_the_names_are_in_sight(self):
        self.assertFalse(self.browser.scrolls_sideways())
        for name in ("process", "alpha", "beta"):
            box = self.box(name)
            self.assertIsNotNone(box, name)
            self.assertTrue(0 <= box["x"] and box["x"] + box["width"] <= WIDTH and box["height"] > 8, (name, box))

    def test_a_narrow_window_needs_no_scrolling_to_the_side_either(self):
        self.browser.resize(500, HEIGHT)
        try:
            self.assertFalse(self.browser.scrolls_sideways())
        finally:
            self.browser.resize(WIDTH, HEIGHT)

    def test_the_numbers_live(self):
        before = self.browser.text()
        self.service.ask("POST", "/words", document(600 << 10), {"Content-Type": "application/json", "X-Tenant": "beta"})
        wait(lambda: self.browser.text() != before)

    def test_it_needs_no_other_host_and_has_nothing_to_complain_of(self):
        loaded = self.browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
        self.assertEqual([name for name in loaded if not name.startswith(self.service.url)], [])
        self.assertEqual([line for line in self.browser.complaints() if line["level"] == "SEVERE"], [])

    def test_the_picture_shows_text_and_bars_on_a_plain_ground(self):
        png = self.browser.picture()
        if PICTURE:
            pathlib.Path(PICTURE).write_bytes(png)
        width, height, rows = pixels(png)
        self.assertGreaterEqual(width, WIDTH - 50)
        shades = {}
        for row in rows[::2]:
            for pixel in row[::2]:
                shades[pixel] = shades.get(pixel, 0) + 1
        ground, most = max(shades.items(), key=lambda entry: entry[1])
        seen = sum(shades.values())
        self.assertGreater(most / seen, 0.3, "one colour lies under it all")
        self.assertLess(most / seen, 0.98, "and something is on it")
        box = self.box("alpha")
        around = [rows[y][x] for y in range(int(box["y"]), int(box["y"] + box["height"]))
                  for x in range(int(box["x"]), int(box["x"] + box["width"]))]
        light, dark = max(map(sum, around)), min(map(sum, around))
        self.assertGreater(light - dark, 250, f"the name of a tenant stands out from its ground {ground}")
        coloured = sum(count for (r, g, b), count in shades.items() if max(r, g, b) - min(r, g, b) > 60)
        self.assertGreater(coloured, 50, "bars have a colour")


if __name__ == "__main__":
    if not is_installed():
        print("chromium or chromedriver is not installed: skipped")
        sys.exit(77)
    unittest.main(verbosity=2)
