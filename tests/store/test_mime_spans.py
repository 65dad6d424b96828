"""Attachments and long bodies are found wherever they are nested, and nothing else is."""

import pytest

from tests.store.mails import CRLF, attachment, base64_text, forwarded, letter, multipart, plain
from tests.store.test_writer import content
from tuiback.store.base64_lines import Base64Lines
from tuiback.store.mime_spans import AS_IT_IS_BYTES_MIN, BASE64_CHARACTERS_MIN, DEPTH_MAX, PARTS_MAX, find_spans

FILE = content(1, 3000)


def spans(mail: bytes) -> list[tuple[bytes, bool]]:
    """The bytes of each span, and whether they would be decoded."""
    return [(mail[span.start : span.end], span.layout is not None) for span in find_spans(mail)]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_attachments_are_found(line_end: bytes) -> None:
    """Two files of a mail, each with its layout; text and delimiters are no part of them."""
    mail = multipart(
        plain(line_end=line_end),
        attachment(FILE, line_end=line_end),
        attachment(FILE[1:], line_end=line_end) + line_end,
        line_end=line_end,
    )
    found = find_spans(mail)
    texts = [base64_text(data, line_end=line_end) for data in (FILE, FILE[1:])]
    assert [mail[span.start : span.end] for span in found] == texts
    assert {span.layout for span in found} == {Base64Lines(76, line_end)}


def test_nested_attachments_are_found() -> None:
    """In multiparts and forwarded mails, in the order they come, however deep."""
    inner = multipart(attachment(FILE), plain(), boundary=b"inner")
    mail = multipart(forwarded(multipart(inner, attachment(FILE[:-1]), boundary=b"in")), attachment(FILE[:-2]))
    assert spans(mail) == [(base64_text(data), True) for data in (FILE, FILE[:-1], FILE[:-2])]


def test_boundary_may_begin_like_another() -> None:
    """A delimiter that only begins like the outer one belongs to the inner multipart."""
    inner = multipart(attachment(FILE), attachment(FILE[1:]), boundary=b"=_bb")
    assert len(find_spans(multipart(inner, attachment(FILE[2:]), boundary=b"=_b"))) == 3


def test_mail_of_one_attachment_is_found() -> None:
    """A mail whose whole body is base64, without a multipart."""
    assert spans(attachment(FILE) + CRLF) == [(base64_text(FILE), True)]


@pytest.mark.parametrize("word", [b"BASE64", b"Base64", b"base64  ", b"\r\n base64"])
def test_encoding_may_be_written_in_other_ways(word: bytes) -> None:
    """Large letters, blanks and folded lines don't hide it."""
    mail = multipart(attachment(FILE).replace(b"base64", word))
    assert spans(mail) == [(base64_text(FILE), True)]


def test_long_body_is_kept_as_it_is() -> None:
    """Long text and base64 that can't be made again are spans without a layout; short ones are none."""
    text = b"A line of text.\r\n" * 1000
    crooked = base64_text(content(2, 9000)).replace(b"\r\n", b" \r\n", 1)
    mail = multipart(plain(text), attachment(b"", text=crooked), plain(text[: AS_IT_IS_BYTES_MIN - 1]))
    assert spans(mail) == [(text, False), (crooked, False)]


def test_small_attachments_are_left() -> None:
    """Base64 below the limit is no span, at the limit it is one."""
    size = BASE64_CHARACTERS_MIN // 4 * 3
    texts = [base64_text(content(1, size - 30), 0), base64_text(content(2, size), 0)]
    mail = multipart(*(attachment(b"", text=text) for text in texts))
    assert spans(mail) == [(texts[1], True)]


def test_encoded_mail_is_an_attachment() -> None:
    """A message/rfc822 in base64, which standards forbid, is a file like any other."""
    mail = multipart(attachment(FILE).replace(b"application/pdf", b"message/rfc822"))
    assert spans(mail) == [(base64_text(FILE), True)]


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\r\n",
        b"\n\n",
        plain(b"Nothing about base64 here. " * 20),
        letter(1),
        letter(1, FILE).replace(b"boundary", b"bound"),
        letter(1, FILE).replace(b"multipart/mixed", b"text/plain"),
        letter(1, FILE).replace(b"\r\n\r\n", b"\r\n"),
        letter(1, FILE).replace(b"--=_1\r\n", b"--=_1 x\r\n"),
    ],
)
def test_mail_without_attachments_has_no_spans(mail: bytes) -> None:
    """Nothing, no structure, or one that can't be made out in a short mail."""
    assert find_spans(mail) == ()


def test_missing_end_does_not_hide_attachments() -> None:
    """A mail cut off before its last delimiter."""
    mail = letter(1, FILE, FILE[1:]).removesuffix(b"\r\n--=_1--\r\n")
    assert len(find_spans(mail)) == 2


def nested(levels: int) -> bytes:
    """A file in so many levels of forwarding, itself and the mail counted."""
    mail = attachment(FILE)
    for _ in range(levels - 1):
        mail = forwarded(mail)
    return mail


def test_depth_is_bounded() -> None:
    """At the limit the file is found, beyond it the mail is left whole."""
    assert len(find_spans(nested(DEPTH_MAX))) == 1
    assert find_spans(nested(DEPTH_MAX + 1)) == ()


def test_number_of_parts_is_bounded() -> None:
    """At the limit, with the multipart itself, the file is found; beyond it the mail is left whole."""
    parts = [plain(b"") for _ in range(PARTS_MAX - 2)]
    assert len(find_spans(multipart(attachment(FILE), *parts))) == 1
    assert find_spans(multipart(attachment(FILE), plain(b""), *parts)) == ()


def test_blanks_around_base64_stay_outside() -> None:
    """Empty lines before and behind it don't make it another file; very many of them leave it as it is."""
    text = base64_text(FILE)
    blanks = b" \r\n\t\r\n"
    assert spans(multipart(attachment(b"", text=blanks + text + blanks))) == [(text, True)]
    assert spans(multipart(attachment(b"", text=text + 100_000 * CRLF))) == [(text + 100_000 * CRLF, False)]
