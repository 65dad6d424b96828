"""Mail is readable whatever it is made of."""

from hypothesis import example, given, strategies

from tests.console.fakes import MAIL
from tuiback.console.mail_text import mail_text, text_of_html


def test_a_mail_shows_headers_attachments_and_text() -> None:
    """Encoded headers are decoded, HTML becomes text, scripts vanish, attachments are listed with their size."""
    mail = mail_text(MAIL)
    assert dict(mail.headers)["Subject"] == "Q3 contract draft"
    assert mail.attachments == (("draft.pdf", 9),)
    assert "the redlined draft is attached. Please check clause 4 & the annex." in mail.body
    assert "• price" in mail.body
    assert "alert" not in mail.body
    assert "<" not in mail.body


def test_plain_text_wins_over_html() -> None:
    """Of two alternatives the plain one is shown."""
    mime = (
        b"Content-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/html\n\n<p>html</p>\n"
        b"--x\nContent-Type: text/plain\n\nplain\n--x--\n"
    )
    assert mail_text(mime).body.strip() == "plain"


def test_unknown_charsets_and_broken_headers_are_survived() -> None:
    """A charset nobody knows and a broken encoded word still show something."""
    mail = mail_text(b"Subject: =?nope?q?caf=E9?=\nContent-Type: text/plain; charset=martian\n\nhello")
    assert mail.body == "hello"
    assert dict(mail.headers)["Subject"]


@given(strategies.binary(max_size=300))
@example(b"Content-Type: multipart/mixed; boundary=x\n\n--x\n--x\n")
@example(b"Content-Disposition: attachment; filename*=utf-99''%ff\n\nx")
@example(b"Content-Transfer-Encoding: base64\n\n!!!")
def test_any_bytes_make_a_preview(data: bytes) -> None:
    """Nothing that can be stored breaks the preview."""
    assert isinstance(mail_text(data).body, str)


@given(strategies.text(max_size=200))
def test_any_html_makes_text(html: str) -> None:
    """Broken markup is text, too."""
    assert isinstance(text_of_html(html), str)


def test_mail_headers_with_markup_stay_plain() -> None:
    """What looks like the console's own markup is only text."""
    assert dict(mail_text(b"Subject: [red]x[/red]\n\n").headers)["Subject"] == "[red]x[/red]"
