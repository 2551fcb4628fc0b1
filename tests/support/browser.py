"""One page in headless Chromium, driven by chromedriver (W3C WebDriver): what tests of pages share."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--force-color-profile=srgb", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]


def is_installed():
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def wait(holds, seconds=15):
    """Returns the first true value of `holds()`."""
    until = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.1)


class Browser:
    def __init__(self, width, height):
        self.profile = tempfile.TemporaryDirectory()
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True, env={**os.environ, "HOME": self.profile.name})
        port = None
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                port = line.rstrip(".\n").rsplit(" ", 1)[1]
                break
        self.root = f"http://127.0.0.1:{port}"
        chrome = {"binary": shutil.which("chromium"),
                  "args": [*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={self.profile.name}/profile"]}
        made = self.command("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": chrome, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = f"/session/{made['sessionId']}"

    def command(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.root + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def post(self, what, body):
        return self.command("POST", f"{self.session}/{what}", body)

    def open(self, url):
        self.post("url", {"url": url})

    def run(self, script, *arguments):
        return self.post("execute/sync", {"script": script, "args": list(arguments)})

    def text(self):
        return self.run("return document.body.innerText")

    def resize(self, width, height):
        """Makes the window that wide at least: a window of Chromium's has a smallest width of about 500."""
        self.post("window/rect", {"width": width, "height": height})

    def show_as(self, width, height, is_phone, is_dark=False):
        """Lays pages out as on a screen of that size, however small."""
        self.devtools("Emulation.setDeviceMetricsOverride",
                      {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone})
        self.devtools("Emulation.setEmulatedMedia",
                      {"features": [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]})

    def devtools(self, name, parameters):
        return self.post("goog/cdp/execute", {"cmd": name, "params": parameters})

    def type_into(self, selector, keys):
        """Types as a person does, key by key."""
        self.post(f"{self.element(selector)}/value", {"text": keys})

    def click(self, selector):
        self.post(f"{self.element(selector)}/click", {})

    def element(self, selector):
        """The address of the first one."""
        found = self.post("element", {"using": "css selector", "value": selector})
        return f"element/{next(iter(found.values()))}"

    def scrolls_sideways(self):
        """True where the page is wider than the window."""
        return self.run("return document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def picture(self):
        return base64.b64decode(self.command("GET", self.session + "/screenshot"))

    def complaints(self):
        """What pages wrote to the console since it was last asked."""
        return self.post("se/log", {"type": "browser"})

    def close(self):
        try:
            self.command("DELETE", self.session)
        finally:
            self.driver.kill()
            self.driver.wait()
            self.driver.stdout.close()
            self.profile.cleanup()
