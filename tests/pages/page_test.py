"""The report page of `check` in Chromium: as an auditor uses it, with a mouse, with a keyboard, on paper, without scripts."""
import pathlib
import re
import tempfile
import unittest

from models import Program, make_models, multiply, results_of
from webdriver import Browser

CARDS = "[...document.querySelectorAll('details.card')]"
SHOWN = f"return {CARDS}.filter(card => card.checkVisibility()).map(card => card.querySelector('h3').textContent)"
FOCUS = """const one = document.activeElement;
return {tag: one.tagName.toLowerCase(), text: (one.closest('summary') || one).textContent.slice(0, 60), id: one.id,
        outline: getComputedStyle(one).outlineStyle, width: parseFloat(getComputedStyle(one).outlineWidth)};"""
# WCAG 2.1, relative luminance and contrast, of each text against the first opaque background behind it.
CONTRASTS = """
const channel = value => { value /= 255; return value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4; };
const parts = color => color.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
const behind = one => {
  for (; one; one = one.parentElement) {
    const color = parts(getComputedStyle(one).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
const low = [];
for (const one of document.querySelectorAll('h1, h2, h3, p, dt, dd, small, .badge, .detail, .chip, .number, .mono, .state, label')) {
  if (!one.checkVisibility() || !one.textContent.trim()) continue;
  const [a, b] = [light(parts(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
  if ((a + .05) / (b + .05) < 4.5) low.push(one.className + ': ' + one.textContent.slice(0, 30) + ' ' + (a + .05) / (b + .05));
}
return low;"""


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        program = Program(PROGRAM, cls.folder)
        cls.order = make_models(program)
        program("check", "models", "--each", "--pub", "vendor.pub", "--html", "nine.html", expect=1)
        program("check", "models", "--each", "--policy", "policy.toml", "--html", "policy.html", expect=1)
        program("check", "models/changed.safetensors", "--pub", "vendor.pub", "--html", "one.html", expect=1)
        multiply(results_of(program, "--pub", "vendor.pub"), 1000, cls.folder / "many.jsonl")
        program("report", "merge", "many.jsonl", "--html", "many.html", expect=1)
        cls.browser = cls.enterClassContext(Browser())

    def tearDown(self):
        self.assertEqual(self.browser.complaints(), [])

    def open(self, name, **how):
        self.browser.open(self.folder / f"{name}.html", **how)
        return self.browser

    def shown(self):
        return self.browser.run(SHOWN)

    def focus(self):
        return self.browser.run(FOCUS)

    def tab_to(self, wanted, most=60):
        for _ in range(most):
            self.browser.press("Tab")
            found = self.focus()
            self.assertEqual(found["outline"], "solid", f"focus cannot be seen: {found}")
            self.assertGreaterEqual(found["width"], 2)
            if wanted(found):
                return found
        raise AssertionError("not reached by the tabulator key")

    def test_states_the_verdict_and_names_the_worst_first(self):
        browser = self.open("nine")
        self.assertEqual(browser.run("return document.querySelector('.overall').textContent"),
                         "6 of 9 targets do not pass")
        self.assertEqual(browser.run("return document.title"), "Model check: 6 of 9 targets do not pass")
        names = self.shown()
        self.assertEqual(names[:8], self.order[:8])
        self.assertIn("\\x1b[31m", names[8], "control characters and what turns text around are shown as bytes")
        self.assertNotIn("\u202e", names[8])
        self.assertEqual(browser.run("return document.querySelectorAll('img, body script ~ *').length"), 0)
        badges = browser.run("return [...document.querySelectorAll('.badge')].map(one => one.textContent)")
        self.assertEqual(badges, ["Tampered"] * 3 + ["Not checked"] + ["No seal found"] * 2 + ["Intact"] * 3)

    def test_a_count_leads_to_its_group(self):
        browser = self.open("nine", height=400)
        browser.click("a.chip[href='#intact']")
        self.assertEqual(browser.run("return location.hash"), "#intact")
        top = browser.run("return document.getElementById('intact').getBoundingClientRect().top")
        self.assertLess(top, 400)

    def test_filters_by_text_and_by_outcome(self):
        browser = self.open("nine")
        browser.click("#find")
        browser.press("layer TAMPERED")
        browser.wait("return document.getElementById('count').value === '1 of 9 shown'")
        self.assertEqual(self.shown(), ["models/changed.safetensors"])
        browser.press("Escape")
        browser.wait("return document.getElementById('count').value === ''")
        self.assertEqual(len(self.shown()), 9)
        browser.run("const one = document.getElementById('outcome'); one.value = 'nothing-found';"
                    "one.dispatchEvent(new Event('change'))")
        self.assertEqual(self.shown(), ["models/plain.safetensors", "models/retrained.safetensors"])
        # A count leads to its group also if that is hidden.
        browser.click("a.chip[href='#mismatch']")
        self.assertEqual(len(self.shown()), 9)

    def test_folds_and_unfolds_what_is_shown(self):
        browser = self.open("nine")
        unfolded = f"return {CARDS}.filter(card => card.open).length"
        self.assertEqual(browser.run(unfolded), 0)
        browser.click("#find")
        browser.press("cut")
        browser.wait("return document.getElementById('count').value === '1 of 9 shown'")
        browser.click("#unfold")
        self.assertEqual(browser.run(unfolded), 1)
        browser.click("#find")
        browser.press("Escape")
        browser.click("#unfold")
        self.assertEqual(browser.run(unfolded), 9)
        browser.click("#fold")
        self.assertEqual(browser.run(unfolded), 0)

    def test_a_click_on_a_tensor_shows_its_blocks(self):
        browser = self.open("one")
        visible = "return [...document.querySelectorAll('svg.blocks')].filter(one => one.checkVisibility()).length"
        self.assertEqual(browser.run(visible), 0)
        browser.click("details.tensor:nth-of-type(1) summary")
        self.assertEqual(browser.run(visible), 1)
        browser.click("details.tensor:nth-of-type(1) summary")
        self.assertEqual(browser.run(visible), 0)
        # 81,920 elements in blocks of 2,048, of which 0, 9 and 34 changed.
        tensors = browser.run("return [...document.querySelectorAll('details.tensor')].map(one => one.textContent)")
        found = next(text for text in tensors if "layer.weight" in text)
        self.assertRegex(found, r"3 of 40 blocks changed, each of 2,048 elements; from element \[0, 0\] to \[223, 319\]")
        drawn = browser.run("""const one = [...document.querySelectorAll('details.tensor')]
            .find(one => one.textContent.includes('layer.weight'));
            one.open = true;
            const map = one.querySelector('svg.blocks'), box = map.getBoundingClientRect();
            return {hits: map.querySelector('.hit').getAttribute('d'), width: box.width, height: box.height};""")
        self.assertEqual(drawn["hits"], "M0.07 0.5h1M9.07 0.5h1M34.07 0.5h1")
        self.assertAlmostEqual(drawn["width"] / drawn["height"], 40, delta=1)

    def test_works_with_the_keyboard_alone(self):
        browser = self.open("nine")
        self.tab_to(lambda one: one["tag"] == "a")
        self.tab_to(lambda one: one["id"] == "find")
        browser.press("changed.safe")
        browser.wait("return document.getElementById('count').value === '1 of 9 shown'")
        self.tab_to(lambda one: "models/changed" in one["text"])
        browser.press("Enter")
        self.assertTrue(browser.run("return document.activeElement.parentElement.open"))
        self.tab_to(lambda one: "layer.weight" in one["text"])
        browser.press("Enter")
        self.assertTrue(browser.run("return document.activeElement.parentElement.querySelector('svg.blocks')"
                                    ".checkVisibility()"))
        browser.press("Enter")
        self.assertFalse(browser.run("return document.activeElement.parentElement.open"))
        browser.press(("Shift", "Tab"))
        self.assertNotIn("layer.weight", self.focus()["text"])

    def test_is_read_in_both_themes(self):
        grounds = {}
        for theme in ("light", "dark"):
            for page in ("one", "policy"):
                browser = self.open(page, theme=theme)
                if page == "policy":
                    browser.click("#unfold")
                self.assertEqual(browser.run(CONTRASTS), [], f"{page}, {theme}: contrast below 4.5 to 1")
            grounds[theme] = browser.run("return getComputedStyle(document.body).backgroundColor")
        self.assertGreater(min(map(int, re.findall(r"\d+", grounds["light"]))), 200)
        self.assertLess(max(map(int, re.findall(r"\d+", grounds["dark"]))), 60)

    def test_a_policy_explains_itself(self):
        browser = self.open("policy")
        self.assertEqual(browser.run("return [...document.querySelectorAll('section.group')].map(one => one.id)"),
                         ["denied", "warned", "allowed"])
        browser.click("#find")
        browser.press("old.safe")
        browser.wait("return document.getElementById('count').value === '1 of 9 shown'")
        browser.click("#unfold")
        row = browser.run("return [...document.querySelectorAll('tr')].find(one => one.checkVisibility() &&"
                          "one.textContent.includes('minimum.version')).textContent")
        self.assertIn("fails", row)

    def test_without_scripts_all_is_there(self):
        browser = self.open("nine", scripts=False)
        self.assertFalse(browser.run("return document.getElementById('tools').checkVisibility()"))
        self.assertEqual(len(self.shown()), 9)
        browser.click("details.card summary")
        browser.click("details.card[open] details.tensor summary")
        self.assertTrue(browser.run("return document.querySelector('svg.blocks').checkVisibility()"))

    def test_prints_what_does_not_pass(self):
        browser = self.open("nine")
        browser.devtools("Emulation.setEmulatedMedia", media="print")
        self.assertFalse(browser.run("return document.getElementById('tools').checkVisibility()"))
        browser.devtools("Emulation.setEmulatedMedia", media="")
        browser.run(f"addEventListener('afterprint', () => window.folded = {CARDS}.every(card => !card.open));"
                    f"addEventListener('beforeprint', () => window.opened = {CARDS}.map(card => card.open));")
        paper = browser.printed()
        self.assertTrue(paper.startswith(b"%PDF-"))
        self.assertEqual(browser.run("return window.opened"), [True] * 6 + [False] * 3)
        self.assertTrue(browser.run("return window.folded"))

    def test_fits_a_narrow_screen(self):
        browser = self.open("one", width=360)
        browser.click("details.tensor summary")
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"), 360)

    def test_shows_a_thousand_models(self):
        self.assertLess((self.folder / "many.html").stat().st_size, 3_000_000)
        browser = self.open("many")
        self.assertEqual(browser.run("return document.querySelector('.overall').textContent"),
                         "100 of 1,000 targets do not pass")
        self.assertEqual(len(self.shown()), 1000)
        browser.click("#find")
        browser.press("model-00963 pairs")
        browser.wait("return document.getElementById('count').value.endsWith(' of 1,000 shown')")
        self.assertLessEqual(len(self.shown()), 1)
        browser.press("Escape")
        browser.press("fp32 differ")
        count = browser.wait("const one = document.getElementById('count').value;"
                             "return one.endsWith(' shown') && !one.startsWith('0 ') && one")
        self.assertEqual(int(count.split()[0]), len(self.shown()))
        self.assertTrue(all(name.endswith("/resnet") for name in self.shown()))


if __name__ == "__main__":
    import sys

    from webdriver import missing
    PROGRAM = sys.argv.pop(1)
    if (what := missing()) is not None:
        print(f"skipped: {what} not found in PATH")
        sys.exit(77)
    unittest.main(verbosity=1)
