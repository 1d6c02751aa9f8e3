"""The HTML report in a real browser: nothing fails, nothing is fetched, nothing overflows, tables sort, colours follow.

    ETALON_BUILD=build/release pytest tests/report

Skipped, with the reason printed, where there is no Chromium or no build of the report's tests.
"""

import json
import os
import pathlib
import subprocess

import pytest
from browser import Browser, find_chromium

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ETALON_BUILD", ROOT / "build" / "release"))
WRITER = BUILD / "bin" / "etalon_report_test"
PAGES = ("rich", "empty", "hostile")
WIDTHS = (360, 390, 1280)

pytestmark = [
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.skipif(not WRITER.exists(), reason=f"{WRITER} is not built"),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The three reports on which every format is tested, and a real one where the tool is built."""
    folder = tmp_path_factory.mktemp("pages")
    subprocess.run([WRITER, "--gtest_filter=Pages.*"], env={**os.environ, "ETALON_PAGES": str(folder)}, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


@pytest.fixture
def opened(browser, pages):
    """Opens a page; closes the connection to its tab afterwards."""
    tabs = []

    def open_page(name, **how):
        tabs.append(browser.open(pages / f"{name}.html", **how))
        return tabs[-1]

    yield open_page
    for tab in tabs:
        tab.socket.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_errors_and_without_the_network(opened, name):
    page = opened(name)
    assert page.errors() == []
    assert page.requests() == []
    assert page.evaluate("document.documentElement.classList.contains('js')")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_never_scrolls_sideways(opened, name, width):
    page = opened(name, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        culprits = page.evaluate(
            "Array.from(document.body.querySelectorAll('*')).filter(e => e.getBoundingClientRect().right > innerWidth + 1 && "
            "!e.closest('.box,.tl,pre,.toc ul')).slice(0, 5).map(e => e.outerHTML.slice(0, 120))"
        )
        pytest.fail(f"{wide} pixels at a width of {width}: {culprits}")


def column(page, table, index):
    return page.evaluate(f"Array.from(document.querySelectorAll('#{table} tbody tr')).map(r => r.cells[{index}].dataset.v ?? r.cells[{index}].textContent.trim())")


def press(page, table, index):
    page.evaluate(f"document.querySelector('#{table}').tHead.rows[0].cells[{index}].querySelector('button').click()")
    return page.evaluate(f"document.querySelector('#{table}').tHead.rows[0].cells[{index}].getAttribute('aria-sort')")


def test_operators_sort_by_any_column(opened):
    page = opened("rich")
    headings = page.evaluate("Array.from(document.querySelectorAll('#operators-1 th')).map(t => t.textContent)")
    time = headings.index("time")
    assert press(page, "operators-1", time) == "ascending"
    times = [float(v) for v in column(page, "operators-1", time)]
    assert len(times) == 24 and times == sorted(times)
    assert press(page, "operators-1", time) == "descending"
    assert [float(v) for v in column(page, "operators-1", time)] == sorted(times, reverse=True)
    kinds = headings.index("category")
    press(page, "operators-1", kinds)
    names = column(page, "operators-1", kinds)
    assert names == sorted(names)


def test_what_is_unknown_stays_last_whichever_way_it_is_sorted(opened):
    page = opened("rich")
    headings = page.evaluate("Array.from(document.querySelectorAll('#operators-1 th')).map(t => t.textContent)")
    rate = headings.index("GFLOP/s")
    for _ in range(2):
        press(page, "operators-1", rate)
        values = column(page, "operators-1", rate)
        known = [v for v in values if v != ""]
        assert 0 < len(known) < len(values)
        assert values[: len(known)] == known


def test_sorting_works_from_the_keyboard(opened):
    page = opened("rich")
    page.evaluate("document.querySelector('#operators-1 th:nth-child(2) button').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r" if kind == "keyDown" else "")
    assert page.evaluate("document.querySelector('#operators-1 th:nth-child(2)').getAttribute('aria-sort')") == "ascending"


def test_operators_are_filtered_by_words_and_category(opened):
    page = opened("rich")
    tools = "document.querySelector('[data-filters=operators-1]')"
    visible = "Array.from(document.querySelectorAll('#operators-1 tbody tr')).filter(r => !r.hidden).length"
    page.evaluate(f"{{ const t = {tools}; t.querySelector('select').value = 'GEMM'; t.querySelector('select').dispatchEvent(new Event('change')); }}")
    assert page.evaluate(visible) == 4
    page.evaluate(f"{{ const i = {tools}.querySelector('input'); i.value = '#3 gemm'; i.dispatchEvent(new Event('input')); }}")
    assert page.evaluate(visible) == 1
    assert page.evaluate(f"{tools}.querySelector('output').textContent") == "1 of 24"


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_colours_follow_the_system_and_the_button(opened):
    page = opened("rich", dark=False)
    light = background(page)
    page.prefer(True)
    dark = background(page)
    assert light == "rgb(255, 255, 255)" and dark != light
    page.evaluate("document.getElementById('theme').click()")
    assert background(page) == light
    page.evaluate("document.getElementById('theme').click()")
    assert background(page) == dark
    page.evaluate("try { localStorage.clear() } catch (refused) {}")


# WCAG 2.1, 1.4.3: text and its background, for every element that has text of its own.
CONTRAST = """(() => {
  const rgb = s => (s.match(/[\\d.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll('main *, header *, nav *, footer')) {
    if (e.closest('.tl, svg, details:not([open])') || !Array.from(e.childNodes).some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
  }
  return [...new Set(poor)];
})()"""


@pytest.mark.parametrize("dark", (False, True))
def test_text_stands_out_from_its_background(opened, dark):
    assert opened("rich", dark=dark).evaluate(CONTRAST) == []


def test_headings_and_charts_can_be_read_aloud(opened):
    page = opened("rich")
    levels = page.evaluate("Array.from(document.querySelectorAll('h1,h2,h3,h4')).map(h => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 2 for earlier, later in zip(levels, levels[1:]))
    silent = page.evaluate("Array.from(document.querySelectorAll('main svg')).filter(s => !s.hasAttribute('aria-label') && s.getAttribute('aria-hidden') !== 'true').length")
    assert silent == 0
    ids = page.evaluate("Array.from(document.querySelectorAll('[id]')).map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_hostile_names_run_nothing(opened):
    page = opened("hostile")
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.evaluate("document.querySelectorAll('script').length") == 2


def test_the_data_can_be_read_back_from_the_page(opened):
    page = opened("hostile")
    bundle = json.loads(page.evaluate("document.getElementById('etalon-bundle').textContent"))
    assert bundle["schema"] == "etalon.bundle/1"
    assert bundle["report"]["schema"] == "etalon.analysis_summary/1"


def test_without_its_script_the_page_still_shows_everything(browser, pages, tmp_path):
    text = (pages / "rich.html").read_text()
    plain = tmp_path / "plain.html"
    head, _, _ = text.rpartition("<script>")
    plain.write_text(head + "</body></html>")
    page = browser.open(plain)
    try:
        assert page.evaluate("document.querySelectorAll('#operators-1 tbody tr').length") == 24
        assert page.evaluate("getComputedStyle(document.getElementById('theme')).display") == "none"
    finally:
        page.socket.close()
