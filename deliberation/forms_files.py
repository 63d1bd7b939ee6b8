"""Text files beside a question: they become a part of it, each fenced under its name."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

MOST_BYTES = 1_000_000  # of one file; a question is far shorter, and says so itself
MOST_FILES = 20
SUFFIXES = (
    ".txt .md .csv .tsv .json .jsonl .yaml .yml .toml .ini .xml .html .css .sql .log .diff .patch .tex .rst"
    " .py .js .ts .java .c .h .cpp .rs .go .rb .sh .r"
)


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class TextFilesField(forms.FileField):
    """Several files; its value is their sections, as they are appended to the question."""

    def __init__(self, **given: Any) -> None:
        widget = FilesInput(attrs={"accept": f"text/*,{SUFFIXES.replace(' ', ',')}"})
        super().__init__(required=False, widget=widget, **given)

    def clean(self, data: Any, initial: Any = None) -> list[str]:
        files: Sequence[UploadedFile] = [each for each in data or () if each]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(
                f"{len(files)} files were chosen; at most {MOST_FILES} are allowed. Choose fewer."
            )
        return [section(each.name or "file", text(each)) for each in files]


def text(file: UploadedFile) -> str:
    """A file's text with plain line ends. Raises ValidationError where it is none."""
    if (file.size or 0) > MOST_BYTES:
        raise forms.ValidationError(f"{file.name} is larger than a megabyte. Attach the part that matters.")
    try:
        read = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise forms.ValidationError(
            f"{file.name} is no UTF-8 text (byte {error.start + 1} is none). Save it as UTF-8 text, or leave it out."
        ) from error
    if not read.strip():
        raise forms.ValidationError(f"{file.name} is empty. Leave it out.")
    if "\x00" in read:
        raise forms.ValidationError(f"{file.name} holds a NUL, so it is no text file. Leave it out.")
    return read.replace("\r\n", "\n").replace("\r", "\n")


def section(name: str, read: str) -> str:
    """Markdown: the name, and the text in a fence that nothing in it closes."""
    shown = re.sub(r"[\s`]+", " ", name).strip()
    suffix = re.search(r"\.([A-Za-z0-9]+)$", shown)
    longest = max((len(run) for run in re.findall("`+", read)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"File `{shown}`:\n\n{fence}{suffix[1].lower() if suffix else ''}\n{read.rstrip()}\n{fence}"
