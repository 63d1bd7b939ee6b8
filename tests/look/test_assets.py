"""What the pages load stands in the tree, fits the policy, and is used."""

import base64
import hashlib
import re
from importlib.resources import files
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

SCRIPT_TYPES = {"application/json"}


def templates(root: Path) -> list[Path]:
    return sorted((root / "templates").rglob("*.html"))


def injected_sheet(script: str) -> str:
    """The text of the style element that plotly.min.js adds when it loads, as the browser hashes it."""
    literal = re.search(r"\.textContent='((?:[^'\\]|\\.)*maplibregl(?:[^'\\]|\\.)*)'", script)
    assert literal
    return re.sub(
        r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|.)",
        lambda m: {"n": "\n", "t": "\t"}.get(m[1]) or (m[1] if len(m[1]) == 1 else chr(int(m[1][1:], 16))),
        literal[1],
    )


def test_the_policy_allows_the_very_sheet_that_plotly_injects() -> None:
    script = files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")
    digest = hashlib.sha256(injected_sheet(script).encode()).digest()

    allowed = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["style-src"]
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in allowed
    assert f"'sha256-{base64.b64encode(hashlib.sha256(b'').digest()).decode()}'" in allowed


def test_every_static_file_of_a_template_is_found(root: Path) -> None:
    named = {
        name for page in templates(root) for name in re.findall(r'{% static "([^"]+)" %}', page.read_text())
    }

    assert named
    assert [name for name in sorted(named) if finders.find(name) is None] == []


def test_no_template_has_an_inline_script_or_style(root: Path) -> None:
    for page in templates(root):
        text = page.read_text()
        inline = [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag]
        assert all(any(f'type="{kind}"' in tag for kind in SCRIPT_TYPES) for tag in inline), page.name
        assert "<style" not in text, page.name
        assert not re.search(r"\son[a-z]+=", text), page.name
        assert "javascript:" not in text, page.name


def test_the_sprite_holds_the_icons_that_are_used_and_no_others(root: Path) -> None:
    held = set(re.findall(r'<symbol id="([^"]+)"', (root / "static/icons/lucide-1.62.0.svg").read_text()))
    used = {
        name
        for page in templates(root)
        for name in re.findall(r"""{% icon ["']([^"']+)["']""", page.read_text())
    }

    assert used == held


def test_only_the_tokens_name_colours(root: Path) -> None:
    for sheet in (root / "static/css").glob("*.css"):
        if sheet.name != "tokens.css":
            assert not re.search(r":[^;{}]*#[0-9a-fA-F]{3,8}\b", sheet.read_text()), sheet.name


def test_every_property_that_a_sheet_uses_is_defined(root: Path, tokens: set[str]) -> None:
    base = (root / "static/vendor/open-props-1.7.23/open-props.min.css").read_text()
    known = tokens | set(re.findall(r"--([a-z0-9-]+):", base)) | {"strip-height"}
    for sheet in (root / "static/css").glob("*.css"):
        assert set(re.findall(r"var\(--([a-z0-9-]+)", sheet.read_text())) <= known, sheet.name


def test_every_class_that_a_sheet_styles_is_written_somewhere(root: Path) -> None:
    made_elsewhere = {"errorlist", "htmx-request", "mark-human"}  # Django's lists, htmx, {% mark %}
    made_elsewhere |= {
        f"{side}-{step}" for side in ("against", "favour") for step in range(1, 5)
    }  # formats.tone
    sources = [*templates(root), *(root / "static/js").glob("*.js"), *(root / "deliberation").rglob("*.py")]
    written = set(re.findall(r"[\w-]+", " ".join(source.read_text() for source in sources)))
    for sheet in (root / "static/css").glob("*.css"):
        rules = re.sub(r"/\*.*?\*/|url\([^)]*\)", "", sheet.read_text(), flags=re.DOTALL)
        styled = {
            name
            for selector in re.findall(r"([^{}]+){", rules)
            for name in re.findall(r"\.([a-z][\w-]*)", selector)
        }
        assert styled - written - made_elsewhere == set(), sheet.name


def test_vendored_files_carry_their_version_and_licence(root: Path) -> None:
    for folder in (root / "static/vendor").iterdir():
        assert re.search(r"-\d+\.\d+\.\d+$", folder.name)
        assert (folder / "LICENSE").stat().st_size > 500


def test_no_file_is_loaded_from_another_host(root: Path) -> None:
    sources = [*(root / "static/css").glob("*.css"), *(root / "static/js").glob("*.js"), *templates(root)]
    for source in sources:
        assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", source.read_text()), (
            source.name
        )


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_an_error_page_needs_no_context(name: str) -> None:
    page = render_to_string(f"{name}.html")

    assert "<h1>" in page
    assert 'href="/"' in page
