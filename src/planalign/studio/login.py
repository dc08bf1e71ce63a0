"""The page that asks for the token: plain HTML, without a script."""

from __future__ import annotations

from markupsafe import Markup

_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Log in - planalign</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<style>
:root {{ --ink: #1b1f24; --page: #f4f5f7; --card: #fff; --line: #d5dae1; --edge: #6b7684;
  --accent: #0b5cad; --bad: #a3201c }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e8eaed; --page: #0e1114; --card: #16191d; --line: #343a42; --edge: #8b95a3;
    --accent: #7db8f0; --bad: #ff9d97 }}
}}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; min-height: 100vh;
  place-items: center; background: var(--page); color: var(--ink) }}
main {{ width: min(22rem, calc(100vw - 2rem)); padding: 2rem; box-sizing: border-box;
  border-radius: 12px; background: var(--card); border: 1px solid var(--line) }}
h1 {{ font-size: 1.25rem; margin: 0 0 1rem }}
label {{ display: block; font-weight: 600 }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box; padding: .6rem .75rem;
  border-radius: 6px; margin-top: .4rem; border: 1px solid var(--edge) }}
input {{ background: transparent; color: inherit }}
button {{ margin-top: 1rem; background: var(--accent); border-color: var(--accent);
  color: var(--card); font-weight: 600; cursor: pointer }}
:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px }}
.error {{ color: var(--bad); margin: .75rem 0 0 }}
</style>
</head>
<body>
<main>
<h1>planalign dashboard</h1>
<form method="post" action="{action}">
<input type="hidden" name="next" value="{here}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required
  autofocus{described}>
{said}<button>Log in</button>
</form>
</main>
</body>
</html>
""")
_SAID = Markup('<p class="error" role="alert" id="said">&#9888; {}</p>\n')


def login_page(action: str, here: str, said: str = "") -> str:
    """Return the page: it posts `token`, and `here` as `next`, to `action`."""
    return str(
        _PAGE.format(
            action=action,
            here=here,
            said=_SAID.format(said) if said else "",
            described=Markup(' aria-describedby="said"') if said else "",
        )
    )
