"""Text off a wire, kept whole: invalid UTF-8 and lone surrogates survive as bytes, screens get neither."""

from __future__ import annotations

RAW_BYTES = range(0xDC80, 0xDD00)


def from_bytes(data: bytes) -> str:
    """The text; a byte that is no UTF-8 becomes a surrogate, so that to_bytes() gives the same byte back."""
    return data.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """UTF-8, with surrogate pairs joined (a server may split one over two events) and lone ones kept.

    U+DC80..U+DCFF stand for the raw byte that from_bytes() met; other lone ones take their three-byte form.
    """
    if is_clean(text):
        return text.encode()
    return b"".join(encoded(character) for character in joined(text))


def encoded(character: str) -> bytes:
    if ord(character) in RAW_BYTES:
        return bytes([ord(character) - 0xDC00])
    return character.encode("utf-8", "surrogatepass")


def readable(text: str) -> str:
    """The same text for a screen: what has no UTF-8 form becomes U+FFFD."""
    if is_clean(text):
        return text
    return joined(text).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def joined(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def is_clean(text: str) -> bool:
    """True where the text has a UTF-8 form. isascii() first: most pieces are, and it costs nothing."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def without_key(data: bytes, *, key: str) -> bytes:
    """The bytes without the key, should a server have echoed it. Under 8 characters it is no secret."""
    if len(key) < 8:
        return data
    return data.replace(key.encode("utf-8", "surrogatepass"), b"[key]")
