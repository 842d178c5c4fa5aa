"""East Asian charsets as browsers read them, where Python's codecs know fewer characters.

The Encoding Standard's indexes hold NEC's and IBM's rows (①, ㈱) in every Japanese charset and a euro
sign at 80 in GBK; Python's `euc_jp`, `iso2022_jp` and `gb18030` do not
(https://github.com/python/cpython/issues/95734). Where a codec stumbles, the characters come from its
Windows sibling.
"""

from __future__ import annotations

import codecs
import re

MARK = "\udcff"
"""stands for bytes that no charset knows; no codec ever gives this character"""
CODECS = frozenset({"euc-jp", "iso2022-jp", "gb18030", "big5hkscs"})

_ESCAPE = re.compile(rb"\x1b(\$[@B]|\$\(D|\([BJIH])")
_HIGH = bytes(b | 0x80 if 0x21 <= b <= 0x7E else b for b in range(256))
# Where euc_jp follows JIS and browsers (and cp932) follow Windows.
_WINDOWS = str.maketrans("〜−‖¢£¬", "～－∥￠￡￢")


def decode(body: bytes, codec: str) -> str:
    """Decode by one of `CODECS`; what is no character becomes a `MARK`. Never raises."""
    if codec == "iso2022-jp":
        return _iso_2022_jp(body)
    text = body.decode(codec, _HANDLER)
    return text.translate(_WINDOWS) if codec == "euc-jp" else text


def _iso_2022_jp(body: bytes) -> str:
    """By its escapes into pieces, each of which is EUC-JP, half-width kana or ASCII."""
    pieces = _ESCAPE.split(body)
    text = [pieces[0].decode("ascii", _HANDLER)]
    for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape.startswith(b"$("):
            rows = re.sub(rb"[\xa1-\xfe]{2}", rb"\x8f\g<0>", piece.translate(_HIGH))
            text.append(rows.decode("euc-jp", _HANDLER))
        elif escape.startswith(b"$"):
            text.append(decode(piece.translate(_HIGH), "euc-jp"))
        elif escape == b"(I":
            text.append(piece.translate(_HIGH).decode("cp932", _HANDLER))
        else:
            text.append(piece.decode("ascii", _HANDLER))
    return "".join(text)


def _sibling(error: UnicodeError) -> tuple[str, int]:
    """Python's error handler: the character of the Windows charset, or a `MARK`."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    at = error.start
    pair = error.object[at : at + 2]
    if error.encoding == "gb18030" and pair[:1] == b"\x80":
        return "€", at + 1
    windows = None
    if len(pair) == 2 and error.encoding == "euc_jp" and min(pair) >= 0xA1 and max(pair) <= 0xFE:
        windows = _shift_jis(pair)
    elif len(pair) == 2 and error.encoding == "big5hkscs":
        windows = pair
    if windows is not None:
        try:
            return windows.decode("cp950" if error.encoding == "big5hkscs" else "cp932"), at + 2
        except UnicodeDecodeError:
            pass
    return MARK, max(error.end, at + 1) if error.encoding == "utf-8" else at + 1


def _shift_jis(pair: bytes) -> bytes:
    """The Shift_JIS bytes of an EUC-JP pair (the same row and cell of JIS X 0208)."""
    row, cell = pair[0] - 0xA0, pair[1] - 0xA0
    lead = (row + 1) // 2 + (0x80 if row <= 62 else 0xC0)
    if row % 2 == 0:
        return bytes((lead, cell + 0x9E))
    return bytes((lead, cell + (0x3F if cell <= 63 else 0x40)))


_HANDLER = "regrow.data.web.legacy"
codecs.register_error(_HANDLER, _sibling)
