"""A mail taken apart comes back byte for byte, whatever it is, and its attachments are what files are."""

import importlib.util
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.mails import attachment, base64_text, forwarded, letter, multipart, plain
from tests.store.test_keys import KEYS
from tests.store.test_writer import content
from tuiback.errors import Damage
from tuiback.store.chunker import WHOLE_PART_BYTES, PartCutter
from tuiback.store.mime_form import MIME, RECIPE, cut_short, find_cutter, reassemble

FILE = content(1, 3000)


def taken_apart(mail: bytes) -> list[bytes] | None:
    """The chunks that the mail is stored as, the recipe first; None when it is better left whole."""
    cutter = find_cutter(KEYS, mail)
    if cutter is None:
        return None
    chunks = [cut.data for piece in cutter.pieces() for cut in piece.cuts]
    recipe, digest = cutter.recipe()
    assert digest == KEYS.chunk_id(mail)
    return [recipe.data, *chunks]


def back(chunks: list[bytes]) -> bytes:
    """The mail that the chunks make up."""
    return b"".join(reassemble(iter(chunks), "part mime"))


def comes_back(mail: bytes) -> bool:
    """Whether the mail is left whole, or comes back as it was."""
    chunks = taken_apart(mail)
    return chunks is None or back(chunks) == mail


def test_recipe_is_what_it_was() -> None:
    """Golden: a recipe is a promise, and a stranger reads it as format version 1 describes."""
    text = b"Good day. " * 900
    mail = multipart(
        plain(text), attachment(FILE), attachment(b"", text=base64_text(FILE, 0)), boundary=b"b", line_end=b"\n"
    )
    chunks = taken_apart(mail)
    assert chunks is not None
    assert msgspec.msgpack.decode(chunks[0]) == [
        b'Content-Type: multipart/mixed;\n\tboundary="b"\n\n--b\nContent-Type: text/plain\r\n\r\n',
        [1, "", 0, ""],
        b"\n--b\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        [1, "base64", 76, "\r\n"],
        b"\n--b\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        [1, "base64", 0, ""],
        b"\n--b--\n",
    ]
    assert chunks[1:] == [text, FILE, FILE]
    assert KEYS.chunk_id(chunks[0]).hex() == "b4395626b4a7227575a21b94e34d39f9c8d73de05a9281c107093b655726a1a3"


def test_attachment_is_the_same_chunks_as_a_file() -> None:
    """Small ones are one chunk, large ones are cut where a file's bytes are."""
    for size in (3000, WHOLE_PART_BYTES, WHOLE_PART_BYTES + 1, 5_000_000):
        data = content(1, size)
        chunks = taken_apart(letter(1, data))
        whole = size <= WHOLE_PART_BYTES
        assert chunks is not None
        assert chunks[1:] == [data] if whole else [cut.data for cut in PartCutter(KEYS).cut([data], last=True)]


def test_large_pieces_are_cut_window_by_window() -> None:
    """The chunks of an attachment come before all of it was decoded."""
    cutter = find_cutter(KEYS, letter(1, content(1, 9_000_000)))
    assert cutter is not None
    assert len(list(cutter.pieces())) > 2


def test_long_stretches_between_attachments_are_pieces() -> None:
    """Many short bodies in a row don't make the recipe long."""
    mail = multipart(*(plain(b"Short. " * 1000) for _ in range(100)), attachment(FILE))
    chunks = taken_apart(mail)
    assert chunks is not None
    assert len(chunks[0]) < 1000
    assert back(chunks) == mail


def test_mail_whose_recipe_would_be_long_is_left_whole() -> None:
    """Hundreds of attachments with kilobytes of header each."""
    fields = b"X-Trace: " + b"x" * 3000 + b"\r\n"
    assert find_cutter(KEYS, multipart(*(fields + attachment(FILE) for _ in range(60)))) is None


def test_parts_that_are_no_mails_are_never_taken_apart() -> None:
    """Properties and files that look like a mail are one chunk when they are small."""
    assert cut_short(KEYS, "mime", letter(1, FILE)).form == MIME
    for name in ("file", "properties"):
        part = cut_short(KEYS, name, letter(1, FILE))
        assert (part.form, len(part.pieces)) == ("", 1)


def test_pieces_are_numbered_and_the_recipe_comes_first() -> None:
    """What belongs to one attachment can be told from the others."""
    part = cut_short(KEYS, "mime", letter(1, FILE, FILE[1:]))
    assert [piece.number for piece in part.pieces] == [RECIPE, 1, 2]


@pytest.mark.parametrize("recipe", [b"", b"\xc1", b"\x01", b"\x91\x93\x01\xa0\x00", b"\x91\x94\x01\xa0\x03\xa0"])
def test_chunk_that_is_no_recipe_is_damage(recipe: bytes) -> None:
    """No msgpack, no array, an entry cut short, lines of three characters."""
    with pytest.raises(Damage, match="part mime: its first chunk is no recipe"):
        back([recipe])


@given(st.binary(max_size=4000))
def test_any_bytes_come_back(mail: bytes) -> None:
    """Whatever a server calls a mail."""
    assert comes_back(mail)
    assert comes_back(b"Content-Transfer-Encoding: base64\n\n" + mail)
    assert comes_back(multipart(mail, attachment(FILE)))


line_ends = st.sampled_from((b"\n", b"\r\n"))
boundaries = st.sampled_from((b"b", b"bb", b"b--", b"=_b", b"a b", b"--"))
files = st.builds(content, st.integers(0, 5), st.integers(700, 3000))
texts = st.builds(base64_text, files, st.sampled_from((0, 4, 60, 72, 73, 76)), st.sampled_from((b"\n", b"\r\n", b"\r")))
leaves = st.one_of(
    st.builds(attachment, files, line_end=line_ends),
    st.builds(attachment, st.just(b""), text=texts, line_end=line_ends),
    st.builds(plain, st.sampled_from((b"", b"Good day.", b"--b\n", b"Good day.\r\n" * 900)), line_ends),
)
entities = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(forwarded, inner, line_ends),
        st.builds(
            lambda parts, boundary, line_end: multipart(*parts, boundary=boundary, line_end=line_end),
            st.lists(inner, min_size=1, max_size=4),
            boundaries,
            line_ends,
        ),
    ),
    max_leaves=6,
)


@given(entities)
def test_any_mail_comes_back(mail: bytes) -> None:
    """Attachments and texts, nested in any way, with boundaries that begin alike."""
    assert comes_back(mail)


@given(entities, st.data())
@settings(max_examples=200)
def test_any_broken_mail_comes_back(mail: bytes, data: st.DataObject) -> None:
    """Bytes taken out, put in, repeated or cut off anywhere."""
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(mail)))
        end = data.draw(st.integers(start, min(len(mail), start + 40)))
        put_in = data.draw(
            st.one_of(
                st.sampled_from((b"", b"\n", b"\r", b"\r\n\r\n", b"\n--b\n", b"--", b"=", b"boundary=", b"\0")),
                st.just(2 * mail[start:end]),
                st.binary(max_size=4),
            )
        )
        mail = mail[:start] + put_in + mail[end:]
    assert comes_back(mail)


def nasty_messages() -> list[Path]:
    """The messages that the standard library tests its own parser with, where Python brings its tests along."""
    spec = importlib.util.find_spec("test")
    places = (spec.submodule_search_locations or []) if spec else []
    return sorted(path for place in places for path in Path(place, "test_email", "data").glob("msg_*.txt"))


@pytest.mark.parametrize("path", nasty_messages(), ids=lambda path: path.stem)
def test_nasty_messages_come_back(path: Path) -> None:
    """As they are, with the other line ends, and around an attachment."""
    mail = path.read_bytes()
    for variant in (mail, mail.replace(b"\n", b"\r\n"), multipart(forwarded(mail), attachment(FILE)), mail * 20):
        assert comes_back(variant)
    assert taken_apart(multipart(forwarded(mail), attachment(FILE), boundary=b"not-in-it")) is not None
