#!/usr/bin/env python3
"""Walks a newcomer's way through the built documentation in a real browser, headless, over file://.

Usage: docs_browser_test.py DOCS_DIR [PICTURES_DIR] [unittest options, as -k NAME]

DOCS_DIR is where `python3 -B tools/docs DOCS_DIR` built. Each step is done on a desktop's window and on a phone's; the
pictures, where a folder is named, are kept to be looked at: DESKTOP or PHONE, the step, .png.
Exit status 77 (skipped) where chromium or chromedriver is not installed; Debian: chromium, chromium-driver.
"""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from browser import Browser, is_installed, wait  # noqa: E402

FOLDERS = []
while len(sys.argv) > 1 and len(FOLDERS) < 2 and not sys.argv[1].startswith("-"):
    FOLDERS.append(sys.argv.pop(1))
DOCS, PICTURES = [*FOLDERS, None, None][:2]
HTML = pathlib.Path(DOCS or ".").resolve() / "html"
LIMIT_ADAPTOR = "classallot_1_1limit__adaptor.html"  # a class that newcomers look for
DOWN = "\ue015"  # WebDriver's code for the arrow key
SCREENS = {"desktop": (1280, 900, False), "phone": (390, 844, True)}

# What stands out at the side, and in nothing that scrolls by itself: its path in the page and its right edge.
STICKS_OUT = """
  const wide = document.documentElement.clientWidth;
  const scrolls = e => { for (; e && e !== document.body; e = e.parentElement) {
    if (e.id !== 'doc-content' && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)) return true; }
    return false; };
  return [...document.querySelectorAll('#doc-content *, #top *')].filter(e => e.offsetParent !== null &&
    e.getBoundingClientRect().width > 0 && e.getBoundingClientRect().right > wide + 1 && !scrolls(e))
    .slice(0, 3).map(e => `<${e.tagName.toLowerCase()} class="${e.className}"> ${(e.innerText || '').slice(0, 40)}`);
"""


class Newcomer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser(1280, 900)
        cls.addClassCleanup(cls.browser.close)

    def show_on(self, screen):
        self.browser.complaints()  # those of another test are that one's
        self.browser.show_as(*SCREENS[screen])

    def open(self, page):
        self.browser.open((HTML / page).as_uri())
        self.wait_for_all_of_it()

    def wait_for_all_of_it(self):
        wait(lambda: self.browser.run("return document.readyState === 'complete'"))

    def has_link(self, page, within=""):
        return self.browser.run(f"return !!document.querySelector('{within} a[href=\"{page}\"]')")

    def looked_at(self, screen, step):
        """What holds for every page, and its picture."""
        if PICTURES:
            pathlib.Path(PICTURES).mkdir(parents=True, exist_ok=True)
            (pathlib.Path(PICTURES) / f"{screen}-{step}.png").write_bytes(self.browser.picture())
        self.assertFalse(self.browser.scrolls_sideways(), f"{step} is wider than a {screen}")
        self.assertEqual(self.browser.run(STICKS_OUT), [], f"{step} is wider than a {screen}")
        complaints = [line["message"] for line in self.browser.complaints()]
        self.assertEqual(complaints, [], f"{step}: the console has complaints")

    def test_the_start_page_shows_the_example_and_leads_to_the_guide(self):
        for screen in SCREENS:
            self.show_on(screen)
            self.open("index.html")
            self.assertIn("allot::chain notes", self.browser.text())
            self.looked_at(screen, "overview")
            self.assertTrue(self.has_link("start.html"), "the start page has no link to start.html")
            self.open("start.html")
            self.looked_at(screen, "start")

    def test_a_class_is_found_by_typing_its_name(self):
        for screen in SCREENS:
            self.show_on(screen)
            self.open("index.html")
            self.browser.type_into("#MSearchField", "limit_adaptor")
            found = wait(lambda: self.browser.run(
                "return [...document.querySelectorAll('#MSearchResultsWindow a')].map(a => a.getAttribute('href'))"))
            self.assertEqual(found[0], LIMIT_ADAPTOR, "the class comes before its members")
            self.looked_at(screen, "search")
            self.browser.click("#MSearchResultsWindow a")
            wait(lambda: self.browser.run("return location.pathname").endswith(LIMIT_ADAPTOR))
            self.wait_for_all_of_it()
            self.assertIn("limit_adaptor", self.browser.run("return document.querySelector('.title').innerText"))
            text = self.browser.text()
            for inherited in ("try_allocate", "deallocate", "upstream_resource"):
                self.assertIn(inherited, text)
            self.looked_at(screen, "class")

    def test_a_section_is_found_by_a_word_in_the_middle_of_its_heading_with_keys_alone(self):
        for screen in SCREENS:
            self.show_on(screen)
            self.open("index.html")
            self.browser.type_into("#MSearchField", "not to use" + DOWN)
            wait(lambda: self.browser.run("return (document.activeElement.getAttribute('href') || '')"
                                          " === 'index.html#mainpage_when-not-to-use-it'"))
            self.browser.type_into("#MSearchField", "no such name")
            wait(lambda: "Nothing has that name" in self.browser.text())

    def test_the_page_that_helps_to_choose_shows_its_pictures(self):
        for screen in SCREENS:
            self.show_on(screen)
            self.open("choosing.html")
            broken = self.browser.run("return [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)")
            self.assertEqual(broken, [])
            self.assertGreater(self.browser.run("return document.querySelectorAll('.contents img').length"), 0)
            self.looked_at(screen, "choosing")

    def test_rooms_lead_to_every_class_in_two_clicks(self):
        for screen in SCREENS:
            self.show_on(screen)
            self.open("modules.html")
            self.looked_at(screen, "rooms")
            rooms = self.browser.run("return [...document.querySelectorAll('.contents a[href^=group__room]')]"
                                     ".map(a => a.getAttribute('href'))")
            self.assertIn("group__room__arena.html", rooms)
            self.open("group__room__adaptor.html")
            self.assertTrue(self.has_link(LIMIT_ADAPTOR, ".contents"))
            self.looked_at(screen, "room")

    def test_all_classes_stand_on_one_page(self):
        for screen in SCREENS:
            self.show_on(screen)
            self.open("classes.html")
            self.assertTrue(self.has_link(LIMIT_ADAPTOR, ".contents"))
            self.looked_at(screen, "classes")

    def test_no_page_is_wider_than_a_phone(self):
        pages = sorted(file.name for file in HTML.glob("*.html") if "-members" not in file.name)
        self.assertGreater(len(pages), 100)
        self.show_on("phone")
        for page in pages:
            with self.subTest(page=page):
                self.open(page)
                self.assertFalse(self.browser.scrolls_sideways())
                self.assertEqual(self.browser.run(STICKS_OUT), [])


if __name__ == "__main__":
    if DOCS is None:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
    if not is_installed():
        print("chromium or chromedriver is not installed: skipped")
        sys.exit(77)
    if not (HTML / "index.html").is_file():
        print(f"there is no {HTML / 'index.html'}: build it by python3 -B tools/docs {DOCS}", file=sys.stderr)
        sys.exit(2)
    unittest.main(verbosity=2)
