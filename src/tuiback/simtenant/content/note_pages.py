"""Draws the pages of notebooks, and writes and reads them as the HTML that OneNote gives and takes.

https://learn.microsoft.com/graph/onenote-input-output-html
"""

import re
from datetime import datetime
from html import escape, unescape

from tuiback.simtenant.content.chance import Chance, Key
from tuiback.simtenant.content.prose import paragraph
from tuiback.simtenant.content.words import Language

# Stands in a held body before the id of what lies beside the page.
FILE_MARK = "resource:"
_TEXT_BYTES = 250
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_BODY = re.compile(r"<body[^>]*>(.*?)</body>", re.IGNORECASE | re.DOTALL)
_PART = re.compile(r'(?P<before>\b(?:src|data)=")name:(?P<name>[^"]+)(?=")', re.IGNORECASE)


def draw_body(chance: Chance, language: Language, *key: Key) -> str:
    """Some text and a list with a tag."""
    text = escape(paragraph(chance, language, _TEXT_BYTES, "note", *key))
    return f'<p>{text}</p><ul><li data-tag="to-do">{text[:40]}</li></ul>'


def page_html(title: str, body: str, created: datetime, files_url: str) -> bytes:
    """A whole page; what lies beside it is below `files_url`."""
    shown = re.sub(f'"{FILE_MARK}([^"]+)"', rf'"{files_url}/\1/$value"', body)
    return (
        '<html lang="en-US">\r\n\t<head>\r\n'
        f"\t\t<title>{escape(title, quote=False)}</title>\r\n"
        '\t\t<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />\r\n'
        f'\t\t<meta name="created" content="{created:%Y-%m-%dT%H:%M:%S}.0000000" />\r\n'
        '\t</head>\r\n\t<body data-absolute-enabled="true" style="font-family:Calibri;font-size:11pt">\r\n'
        f'\t\t<div style="position:absolute;left:48px;top:120px;width:624px">\r\n{shown}\r\n\t\t</div>\r\n'
        "\t</body>\r\n</html>"
    ).encode()


def read_page(html: str) -> tuple[str, str]:
    """Title and body of a page that somebody wrote; without a title it has none."""
    title, body = _TITLE.search(html), _BODY.search(html)
    return (unescape(title[1]).strip() if title else "", body[1].strip() if body else html)


def with_files(body: str, marks: dict[str, str]) -> str:
    """A body that names parts of the request (`name:x`), with the ids that they have been given."""
    return _PART.sub(lambda found: found["before"] + FILE_MARK + marks.get(found["name"], found["name"]), body)
