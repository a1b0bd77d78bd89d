"""axe's rules of accessibility, run in the page that they are about."""

from importlib.resources import files

from tests.browser.chromium import Page

AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def faults(page: Page) -> list[str]:
    """Ask axe, which the page's policy does not stop where the browser itself runs it."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found["violations"]]
