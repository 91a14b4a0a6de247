#!/usr/bin/env python3
"""Pages of reports in a real browser: what a reader does with them, and what they say.

pages.py SYNSCOPE MAKE_WORKLOAD [--flood COUNT] [--pictures FOLDER]

The figures on a page are compared with the summary's and with DuckDB's over the records. With --pictures, the
pictures of the documentation are made instead.
"""

import argparse
import json
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import html5lib
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"wide": (1280, 900), "tablet": (768, 1024), "phone": (390, 844)}
HOSTILE = "<img src=x onerror=alert(1)>\"'&</title></script><script>alert(2)<!--.pcapng"
failures = []


def check(holds, words):
    """Counts a failure, and goes on."""
    if not holds:
        failures.append(words)
        print(f"  FAILED: {words}", flush=True)


class Captures:
    """The captures whose pages are looked at, and their pages, records and summaries."""

    def __init__(self, synscope, make_workload, folder, flood, pictures):
        self.synscope, self.folder, self.pictures = synscope, folder, pictures
        self.paths = {
            "incident": ROOT / "Captures/outage.pcap",
            "one attempt": ROOT / "Captures/syn-lost.pcap",
            "empty": folder / "empty.pcap",
            "healthy": folder / "healthy.pcap",
            "flood": folder / "flood.pcap",
        }
        self.paths["empty"].write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        subprocess.run([make_workload, "w1-plain", "600", self.paths["healthy"], "50"], check=True)
        subprocess.run([make_workload, "w3", str(flood), self.paths["flood"]], check=True)

    def page(self, name, *options):
        path = self.folder / f"{name.replace(' ', '-')}{''.join(options)}.html"
        if path.exists():
            return path
        subprocess.run([self.synscope, "report", self.paths[name], "-o", path, *options], check=True)
        return path

    def records(self, name):
        """JSON Lines of its attempts, and its summary."""
        lines, summary = self.folder / "records.jsonl", self.folder / "summary.json"
        with lines.open("wb") as out:
            subprocess.run([self.synscope, "-T", "jsonl", "--summary", summary, self.paths[name]], stdout=out, check=True)
        return lines, json.loads(summary.read_text())


class Reader:
    """Opens pages as a reader does, and watches what they do."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, path, size="wide", scheme="light", fragment="", **options):
        width, height = SIZES[size]
        page = self.browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        page.faults = []
        page.on("console", lambda message: page.faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: page.faults.append(f"error: {error}"))
        page.on("request", lambda request: page.faults.append(f"request: {request.url}")
                if not request.url.startswith((path.as_uri(), "data:")) else None)
        page.on("dialog", lambda dialog: page.faults.append("a dialog"))
        page.goto(path.as_uri() + fragment)
        page.wait_for_load_state("load")
        return page


# The contrast of each text of a picture with the page behind it: axe looks at the text of HTML alone.
CONTRAST = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (color) => { const [r, g, b] = parse(color).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(21, ...[...document.querySelectorAll('svg text')].map((text) => {
    const own = light(getComputedStyle(text).fill);
    return (Math.max(own, paper) + .05) / (Math.min(own, paper) + .05);
  }));
}"""


def looks(captures, reader):
    """Every page, at every size, in light and dark."""
    for name in captures.paths:
        path = captures.page(name)
        again = captures.page(name, "-j", "1")
        octets = path.read_bytes()
        check(octets == again.read_bytes(), f"{name}: the same input makes the same octets")
        parser = html5lib.HTMLParser(strict=True)
        try:
            parser.parse(octets.decode())
        except Exception as error:  # Each fault of html5lib is an exception of its own.
            check(False, f"{name}: html5lib in strict mode: {error!r} at {parser.errors[-1:]}")
        check(len(octets) <= 10_000_000, f"{name}: {len(octets)} octets")
        for size in SIZES:
            for scheme in ["light", "dark"]:
                started = time.monotonic()
                page = reader.open(path, size, scheme)
                opened = time.monotonic() - started
                if page.query_selector("#list button[aria-expanded]"):
                    page.click("#list button[aria-expanded]")
                for more in page.query_selector_all("details"):
                    more.evaluate("(more) => { more.open = true; }")
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                check(wide <= 0, f"{name}, {size}: {wide} pixels wider than the window")
                contrast = page.evaluate(CONTRAST)
                check(contrast >= 4.5, f"{name}, {size}, {scheme}: contrast of texts in pictures {contrast:.2f}")
                # Long tables take axe long, and have no more kinds of elements.
                if name in ("healthy", "flood") and (size, scheme) != ("wide", "light"):
                    page.close()
                    continue
                found = Axe().run(page)["violations"]
                check(not found, f"{name}, {size}, {scheme}: axe: " + "; ".join(
                    f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found))
                check(not page.faults, f"{name}, {size}, {scheme}: {page.faults}")
                page.close()
        print(f"{name}: {len(octets)} octets, opened in {opened:.2f} s", flush=True)


def acts(captures, reader):
    """What a reader does: sort, filter, zoom, open a ladder by keyboard, follow a link."""
    path = captures.page("incident")
    page = reader.open(path)

    def column(number):
        return page.evaluate(
            f"[...document.querySelectorAll('#client-table tbody tr')].map((row) => row.cells[{number}].textContent)")

    page.click("#client-table th:nth-child(2) button")
    numbers = [int(text) for text in column(1)]
    check(numbers == sorted(numbers, reverse=True) and len(set(numbers)) > 1, f"sorted by attempts: {numbers}")
    page.click("#client-table th:nth-child(2) button")
    check([int(text) for text in column(1)] == sorted(numbers), "sorted the other way")
    check(page.get_attribute("#client-table th:nth-child(2)", "aria-sort") == "ascending", "aria-sort says so")
    page.click("#client-table th:nth-child(1) button")
    check(column(0) == sorted(column(0)), f"sorted by name: {column(0)}")

    def rows():
        return page.locator("#list tbody tr:not(.detail)").count()

    records = [json.loads(line) for line in captures.records("incident")[0].read_text().splitlines()]
    check(rows() == len(records), f"{rows()} of {len(records)} attempts are listed")
    page.fill("#text", "10.1.0.14")
    expected = sum("10.1.0.14:" in f"{one['client']['ip']}:{one['client']['port']} {one['server']['ip']}" for one in records)
    check(rows() == expected, f"filtered by text: {rows()}, not {expected}")
    page.fill("#text", "")
    page.select_option("#outcome", "unanswered")
    expected = sum(one["outcome"] == "unanswered" for one in records)
    check(rows() == expected > 0, f"filtered by outcome: {rows()}, not {expected}")
    page.select_option("#outcome", "")
    page.select_option("#finding", "syn-lost")
    expected = sum(any(f["code"] == "syn-lost" for f in one["findings"]) for one in records)
    check(rows() == expected > 0, f"filtered by finding: {rows()}, not {expected}")
    page.select_option("#finding", "")
    page.select_option("#server", "10.0.0.5:443")
    expected = sum(one["server"] == {"ip": "10.0.0.5", "port": 443} for one in records)
    check(rows() == expected > 0, f"filtered by server: {rows()}, not {expected}")
    page.select_option("#server", "")

    page.locator("#attempts-chart svg").scroll_into_view_if_needed()
    box = page.locator("#attempts-chart svg").bounding_box()
    whole = page.text_content("#zoomed")
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60, steps=4)
    page.mouse.up()
    check(page.text_content("#zoomed") != whole, "dragging zooms")
    check(0 < rows() < len(records), f"the list has what is within: {rows()}")
    page.focus("[data-zoom=all]")
    page.keyboard.press("Enter")
    check(page.text_content("#zoomed") == whole and rows() == len(records), "All shows all again")
    page.focus("[data-zoom=in]")
    page.keyboard.press("Space")
    check(page.text_content("#zoomed") != whole, "the keyboard zooms")
    page.click("[data-zoom=all]")

    first = page.locator("#list tbody button").first
    page.focus("#server")
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id").startswith("attempt-"):
            break
    check(page.evaluate("document.activeElement.id") == first.get_attribute("id"), "Tab leads to the first attempt")
    page.keyboard.press("Enter")
    check(page.locator("svg.ladder").count() == 1, "Enter opens the ladder")
    check(first.get_attribute("aria-expanded") == "true", "aria-expanded says so")
    check("#attempt=" in page.url, "the address names the attempt")
    page.keyboard.press("Enter")
    check(page.locator("svg.ladder").count() == 0, "Enter closes it")
    page.click("article summary")
    page.click("article dd a")
    check(page.locator("svg.ladder").count() == 1, "evidence leads to its attempt")
    text = page.text_content("#list .detail")
    for words in ["RFC 9293", "What to do:", "or: ", "tcp.port==", "ended by"]:
        check(words in text, f"an attempt says {words}")
    check(not page.faults, f"while it is used: {page.faults}")
    page.close()

    ladder = reader.open(path, fragment="#attempt=70")
    check(ladder.locator("svg.ladder").count() == 1, "a link opens its attempt")
    ladder.close()


def printed(captures, reader):
    """On paper, everything that was folded is there."""
    page = reader.open(captures.page("incident"))
    paper = page.pdf(format="A4")
    check(len(re.findall(rb"/Type\s*/Page\b", paper)) >= 2, "the page prints")
    page.close()


def figures(captures, reader):
    """Numbers on the page, the summary's, and DuckDB's."""
    for name in captures.paths:
        page = reader.open(captures.page(name))
        lines, summary = captures.records(name)

        def table(kind):
            return dict(page.evaluate(
                f"[...document.querySelectorAll('#{kind} tbody tr')].map((row) => [row.cells[0].textContent, "
                "Number(row.cells[1]?.dataset.value)]).filter(([name]) => name !== 'none')"))

        check(table("outcomes") == summary["attempts"]["by_outcome"], f"{name}: outcomes {table('outcomes')}")
        check(table("findings") == summary["findings"], f"{name}: findings {table('findings')}")
        frames = table("frames")
        check(frames.pop("all that were read") == summary["frames"]["read"] == sum(frames.values()), f"{name}: frames {frames}")
        check(page.text_content(".tile .figure") == f"{summary['attempts']['total']:,}", f"{name}: attempts")
        data = page.evaluate("data.timeline.steps.map(([place, resent, lossy, a, b, c, ...counts]) => counts)")
        outcomes = page.evaluate("data.outcomes")
        sums = {outcome: sum(step[place] for step in data) for place, outcome in enumerate(outcomes)}
        check({key: sums[key] for key in sums if sums[key]} == summary["attempts"]["by_outcome"], f"{name}: the time line's sums")
        legs = page.evaluate("data.legs.map((leg) => [leg.count, leg.quantiles_ns, leg.steps])")
        check(all(sum(count for _, count in steps) == count for count, _, steps in legs), f"{name}: legs")
        check(legs[0][0] == summary["rtt_ns"]["count"], f"{name}: round trips")
        if lines.stat().st_size == 0:
            page.close()
            continue
        duck = duckdb.connect()
        duck.sql(f"create table attempts as select * from read_json('{lines}', format='newline_delimited', "
                 "columns={type: 'VARCHAR', server: 'STRUCT(ip VARCHAR, port INTEGER)', client: 'STRUCT(ip VARCHAR, port INTEGER)', "
                 "failed_because: 'VARCHAR', rtt: 'STRUCT(total_ns BIGINT)'}) where type = 'attempt'")
        for kind, key in [("server-table", "server.ip || ':' || server.port"), ("client-table", "client.ip")]:
            wanted = dict((row[0], row[1:]) for row in duck.sql(
                f"select {key}, count(*), count(failed_because), quantile_disc(rtt.total_ns, 0.5) from attempts group by 1").fetchall())
            rows = page.evaluate(
                f"[...document.querySelectorAll('#{kind} tbody tr')].map((row) => [row.cells[0].textContent, "
                "...[1, 2, 5].map((cell) => row.cells[cell].dataset.value)])")
            check(len(rows) == min(200, len(wanted)), f"{name}: {len(rows)} rows of {len(wanted)} in {kind}")
            if name == "flood":
                # More clients than are kept: their counts are lower bounds.
                rows = rows if kind == "server-table" else []
            for key, attempts, failed, median in rows:
                right = wanted[key]
                check((int(attempts), int(failed)) == right[:2], f"{name}: {key}: {attempts}, {failed}, not {right}")
                if right[2]:
                    check(abs(int(median) / right[2] - 1) <= 1 / 128, f"{name}: {key}: median {median}, not {right[2]}")
        page.close()


def hostile(captures, reader):
    """Names and comments that others chose stay text."""
    capture = captures.folder / HOSTILE.replace("/", "∕")
    comment = "</script><script>alert(3)</script><b onclick=alert(4)>\u202e"
    subprocess.run(["editcap", "-F", "pcapng", "-a", f"1:{comment}", ROOT / "Captures/syn-lost.pcap", capture], check=True)
    captures.paths["hostile"] = capture
    path = captures.folder / "hostile.html"
    subprocess.run([captures.synscope, "report", capture, "-o", path, "-Y", 'hs.uid != "</p><script>alert(5)</script>"'], check=True)
    page = reader.open(path)
    page.click("#list tbody button")
    check("onerror" in page.text_content("h1"), "a hostile name is shown as text")
    check("alert(5)" in page.text_content("#counts"), "a hostile expression is shown as text")
    check("alert(3)" in page.text_content("svg.ladder"), "a hostile comment is shown as text")
    check(page.locator("main img, header img, svg.ladder b").count() == 0, "and makes no element")
    check("\u202e" not in page.content(), "nothing turns the direction of text")
    ran = page.evaluate("""() => new Promise((done) => {
      document.addEventListener('securitypolicyviolation', () => done('stopped'));
      const script = document.createElement('script'); script.textContent = 'window.ran = true';
      document.body.append(script); setTimeout(() => done(window.ran ? 'ran' : 'nothing'), 300); })""")
    check(ran == "stopped", f"the policy stops another script: {ran}")
    page.faults = [fault for fault in page.faults if "Content Security Policy" not in fault]
    check(not page.faults, f"hostile: {page.faults}")
    page.close()
    del captures.paths["hostile"]


def pseudonyms(captures, reader):
    """No address of the capture is in the page, and figures are the same."""
    path = captures.page("incident", "--pseudonyms")
    text = path.read_text()
    records = [json.loads(line) for line in captures.records("incident")[0].read_text().splitlines()]
    addresses = {one[side]["ip"] for one in records for side in ("client", "server")}
    left = [address for address in addresses if address in text]
    check(not left and "outage" not in text and "10.1.0.0/24" not in text, f"addresses are left: {left}")
    page = reader.open(path)
    check("host-1:8443 does not answer network-1" in page.text_content(".sentence"), page.text_content(".sentence"))
    check(page.locator("#client-table tbody tr").count() == len({one["client"]["ip"] for one in records}), "each client is one")
    page.close()


def live(captures, reader):
    """The page of a live run: loopback, and connections to a port that refuses."""
    watch = subprocess.Popen([captures.synscope, "watch", "-i", "lo", "-q", "--listen", "127.0.0.1:0", "tcp port 9"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said, port = "", None
    while not port and (line := watch.stderr.readline()):
        said, port = said + line, re.search(r"http://127.0.0.1:(\d+)/", line)
    if not port:
        check(watch.wait(10) == 4, f"live: {said}")
        print(f"live: skipped, an interface cannot be opened here: {said.strip()}")
        return
    address = f"http://127.0.0.1:{port.group(1)}/"

    def refused(count):
        for _ in range(count):
            with socket.socket() as client:
                client.connect_ex(("127.0.0.1", 9))

    def watched(size="wide", scheme="light", fragment=""):
        width, height = SIZES[size]
        page = reader.browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.faults = []
        page.on("console", lambda message: page.faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: page.faults.append(f"error: {error}"))
        page.on("request", lambda request: page.faults.append(f"request: {request.url}")
                if not request.url.startswith((address, "data:")) else None)
        page.goto(address + fragment)
        return page

    try:
        time.sleep(0.5)
        refused(12)
        # An attempt that was refused is decided after 10 s.
        page = watched()
        buttons = page.locator("#list tbody button")
        buttons.nth(11).wait_for(timeout=30_000)
        for size in SIZES:
            for scheme in ["light", "dark"]:
                page.set_viewport_size(dict(zip(("width", "height"), SIZES[size])))
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(1100)
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                check(wide <= 0, f"live, {size}: {wide} pixels wider than the window")
                found = Axe().run(page)["violations"]
                check(not found, f"live, {size}, {scheme}: axe: " + "; ".join(
                    f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found))
                contrast = page.evaluate(CONTRAST)
                check(contrast >= 4.5, f"live, {size}, {scheme}: contrast of texts in pictures {contrast:.2f}")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        name = buttons.first.get_attribute("id")
        buttons.first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("svg.ladder")
        check("RFC 9293" in page.text_content("#list .detail"), "an attempt says what its words mean")
        check(page.url.endswith("#" + name.replace("-", "=")), f"the address names the attempt: {page.url}")
        if captures.pictures:
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_timeout(300)
            page.screenshot(path=captures.pictures / "live-wide.png")
        page.keyboard.press("Enter")
        check(page.locator("svg.ladder").count() == 0, "Enter closes it")
        page.keyboard.press("s")
        check(buttons.count() == 0 and "since" in page.text_content("#from"), "s counts from now on")
        page.keyboard.press("s")
        check(buttons.count() == 12, "and from the start again")
        page.keyboard.press("p")
        check(page.get_attribute("#pause", "aria-pressed") == "true", "p pauses")
        page.keyboard.press("p")
        page.keyboard.press("/")
        check(page.evaluate("document.activeElement.id") == "text", "/ leads to the filter")
        page.keyboard.type("nothing of this")
        check(buttons.count() == 0, "the filter filters")
        other = watched(fragment="#" + name.replace("-", "="))
        other.wait_for_selector("svg.ladder")
        check(not other.faults and not page.faults, f"live: {page.faults} {other.faults}")
        other.close()
        page.close()
    finally:
        watch.terminate()
        watch.communicate(timeout=20)


def pictures(captures, reader, folder):
    """The pictures of the documentation."""
    folder.mkdir(parents=True, exist_ok=True)
    views = {"incident": ["wide", "phone", "dark"], "healthy": ["wide", "phone"], "flood": ["wide", "dark"],
             "one attempt": ["wide", "phone"], "empty": ["wide"]}
    for name, kinds in views.items():
        path = captures.page(name)
        for kind in kinds:
            page = reader.open(path, "phone" if kind == "phone" else "wide", "dark" if kind == "dark" else "light")
            page.screenshot(path=folder / f"{name.replace(' ', '-')}-{kind}.png")
            page.close()
    page = reader.open(captures.page("incident"))
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'; document.getElementById('time').scrollIntoView()")
    page.screenshot(path=folder / "incident-time.png")
    page.close()
    page = reader.open(captures.page("incident"), fragment="#attempt=70")
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    page.locator("#attempts").scroll_into_view_if_needed()
    page.screenshot(path=folder / "ladder-wide.png")
    page.close()
    page = reader.open(captures.page("incident"))
    page.pdf(path=folder / "incident.pdf", format="A4")
    page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("synscope", type=Path)
    parser.add_argument("make_workload", type=Path)
    parser.add_argument("--flood", type=int, default=1_000_000, help="SYNs of the flood")
    parser.add_argument("--only", nargs="*", help="names of parts, instead of all")
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        captures = Captures(arguments.synscope.resolve(), arguments.make_workload.resolve(), Path(folder), arguments.flood, arguments.pictures)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        reader = Reader(browser)
        if arguments.pictures:
            pictures(captures, reader, arguments.pictures)
            live(captures, reader)
        else:
            for part in [acts, live, printed, hostile, pseudonyms, figures, looks]:
                if arguments.only and part.__name__ not in arguments.only:
                    continue
                started = time.monotonic()
                part(captures, reader)
                print(f"{part.__name__}: {time.monotonic() - started:.0f} s", flush=True)
        browser.close()
    print(f"pages: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
