"""The watch over pages sees what it is there for."""

import pytest


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('<img src="https://planalign.example/picture.png">', "beyond"),
        ("<script>console.error('broken')</script>", "console"),
        ("<script>throw new Error('broken')</script>", "uncaught"),
        ('<img src="missing.png">', "failed"),
    ],
)
def test_what_a_page_must_not_do_is_seen(browser_page, page_faults, tmp_path, body, kind):
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><link rel=icon href=data:>{body}", encoding="utf-8")
    browser_page.goto(path.as_uri())
    browser_page.wait_for_load_state("load")
    assert getattr(page_faults, kind)
    with pytest.raises(AssertionError):
        page_faults.assert_none()
    page_faults.__init__()


def test_local_requests_are_let_through(browser_page, tmp_path):
    (tmp_path / "style.css").write_text("body { color: rgb(1, 2, 3) }", encoding="utf-8")
    path = tmp_path / "page.html"
    path.write_text('<!doctype html><link rel="stylesheet" href="style.css">', encoding="utf-8")
    browser_page.goto(path.as_uri())
    assert browser_page.evaluate("getComputedStyle(document.body).color") == "rgb(1, 2, 3)"
