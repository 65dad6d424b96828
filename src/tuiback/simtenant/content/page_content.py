"""Draws the pages of SharePoint sites: sections of columns of web parts, and the file that holds a page.

https://learn.microsoft.com/graph/api/resources/canvaslayout, .../standardwebpart
"""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from tuiback.simtenant.content.chance import Chance, Key
from tuiback.simtenant.content.prose import paragraph
from tuiback.simtenant.content.words import Language

# The kinds of web parts that can be made through Graph: https://learn.microsoft.com/graph/api/sitepage-create
CREATABLE = frozenset({
    "e377ea37-9047-43b9-8cdb-a761be2f8e09", "0f087d7f-520e-42b7-89c0-496aaf979d58",
    "df8e44e7-edd5-46d5-90da-aca1539313b8", "2161a1c6-db61-4731-b97c-3cdb303f7cbb",
    "b7dd04e1-19ce-4b24-9132-b60a1c2b910d", "d1d91016-032f-456d-98a4-721247c305e8",
    "af8be689-990e-492a-81f7-ba3e4cd3ed9c", "6410b3b6-d440-4663-8744-378976dc041e",
    "e84a8ca2-f63c-4fb9-bc0b-d8eef5ccb22b", "7f718435-ee4d-431c-bdbf-9c4ff326f46e",
    "c70391ea-0b10-4ee9-b2b4-006d3fcad0cd", "8654b779-4886-46d4-8ffb-b5ed960ee986",
    "544dd15b-cf3c-441b-96da-004d5a8cea1d", "cbe7b0a9-3504-44dd-a3a3-0e5cacd07788",
})  # fmt: skip
_IMAGE, _DIVIDER = "d1d91016-032f-456d-98a4-721247c305e8", "2161a1c6-db61-4731-b97c-3cdb303f7cbb"
# News, as every home page has it, is not among them.
_NEWS = "8c88f208-6c77-4bdb-86a0-0c47b4316588"
_LAYOUTS = (("oneColumn", (12,)), ("twoColumns", (6, 6)), ("oneThirdRightColumn", (8, 4)), ("threeColumns", (4, 4, 4)))
_EMPHASES = ("none", "neutral", "soft", "strong")
_TEXT_BYTES = 400
_TEXT, _STANDARD = "#microsoft.graph.textWebPart", "#microsoft.graph.standardWebPart"


def draw_canvas(chance: Chance, language: Language, *key: Key, is_home: bool) -> dict[str, Any]:
    """What a page shows, top down; a home page has news, which can't be made through Graph."""
    sections = []
    for number in range(2):
        layout, widths = chance.pick(_LAYOUTS, "layout", number, *key)
        columns = [
            {
                "id": str(place + 1),
                "width": width,
                "webparts": [_web_part(chance, language, (number + place) % 3, number, place, *key)],
            }
            for place, width in enumerate(widths)
        ]
        emphasis = chance.pick(_EMPHASES, "emphasis", number, *key)
        sections.append({"layout": layout, "id": str(number + 1), "emphasis": emphasis, "columns": columns})
    canvas: dict[str, Any] = {"horizontalSections": sections}
    if is_home:
        news = _standard(str(chance.guid("news", *key)), _NEWS, "News", {"layoutId": "FeaturedNews"})
        canvas["verticalSection"] = {"emphasis": "soft", "webparts": [news]}
    return canvas


def _web_part(chance: Chance, language: Language, kind: int, *key: Key) -> dict[str, Any]:
    mark = str(chance.guid("web part", *key))
    if kind == 0:
        text = escape(paragraph(chance, language, _TEXT_BYTES, "page", *key))
        return {"@odata.type": _TEXT, "id": mark, "innerHtml": f"<h2>{text[:30]}</h2><p>{text}</p>"}
    if kind == 1:
        return _standard(mark, _IMAGE, "Image", {"imageSourceType": 2, "altText": "", "fixAspectRatio": False})
    return _standard(mark, _DIVIDER, "Divider", {"length": 100, "weight": 1})


def _standard(mark: str, kind: str, title: str, properties: dict[str, Any]) -> dict[str, Any]:
    source = [{"key": "imageSource", "value": "/_LAYOUTS/IMAGES/VISUALTEMPLATEIMAGE1.JPG"}] if kind == _IMAGE else []
    shown: dict[str, Any] = {"htmlStrings": [], "searchablePlainTexts": [], "links": [], "imageSources": source}
    data = {
        "dataVersion": "1.9", "title": title, "description": f"{title} on a page", "properties": properties,
        "serverProcessedContent": shown,
    }  # fmt: skip
    return {"@odata.type": _STANDARD, "id": mark, "webPartType": kind, "data": data}


def web_parts(canvas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every web part of a page, top down."""
    for section in canvas.get("horizontalSections") or ():
        for column in section.get("columns") or ():
            yield from column.get("webparts") or ()
    yield from (canvas.get("verticalSection") or {}).get("webparts") or ()


def page_file(title: str, canvas: dict[str, Any]) -> bytes:
    """The page as the file in the library of pages."""
    content = escape(json.dumps(canvas, ensure_ascii=False))
    head = '<%@ Page language="C#" Inherits="Microsoft.SharePoint.WebPartPages.WikiEditPage" %>\r\n'
    fields = f"<mso:CanvasContent1 msdt:dt=\"string\">{content}</mso:CanvasContent1>"
    body = f"<html><head><title>{escape(title)}</title></head><!--{fields}--></html>"
    return (head + body).encode()
