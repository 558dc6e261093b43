import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbench.text import clean, file_name, label, markdown, plain, shown

ANY = st.text(st.characters(), max_size=300)


@given(ANY)
def test_plain_text_is_one_line_of_characters_that_print(text):
    made = plain(text)
    assert plain(made) == made
    assert len(made) == len(text)
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in made)


def test_text_that_prints_is_as_it_was():
    for text in ("digits-cnn w2a2", "Größe 8/255, ±1", "犬", "🐕", "a  b", "$x$ | [b] <i> `c` ::d"):
        assert plain(text) == text


def test_long_text_is_cut_where_it_says():
    assert plain("x" * 2000) == "x" * 999 + "…"
    assert plain("abcdef", 4) == "abc…"


def test_what_does_not_print_is_replaced():
    assert plain("a\nb\tc\r\nd") == "a b c  d"
    assert plain("\x1b[31mred\x07 \u202eevil\x00") == "\ufffd[31mred\ufffd \ufffdevil\ufffd"


def test_every_string_of_a_value_is_cleaned():
    assert clean({"a\n": ["b\0", ("c\x1b", 1, None)]}) == {"a ": ["b\ufffd", ("c\ufffd", 1, None)]}


@given(ANY)
def test_a_file_name_names_one_file_in_its_folder(text):
    name = file_name(text)
    assert 0 < len(name) <= 80
    assert name not in (".", "..")
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("device:mps2-an386", "device-mps2-an386"),
        ("x/../../y", "x-..-..-y"),
        ("..", "-"),
        ("", "-"),
        ("tflite", "tflite"),
    ],
)
def test_file_names(text, name):
    assert file_name(text) == name


@given(ANY)
def test_no_line_of_a_log_is_a_command_of_its_runner(text):
    assert "::" not in shown(text)
    assert "##[" not in shown(text)


@given(ANY)
def test_a_cell_of_markdown_has_no_bar_that_ends_it(text):
    made = markdown(text)
    bars = [i for i, each in enumerate(made) if each == "|"]
    for i in bars:
        slashes = len(made[:i]) - len(made[:i].rstrip("\\"))
        assert slashes % 2 == 1
    assert "](" not in made


def test_a_label_is_short_and_shown():
    assert label("_hidden") == " _hidden"
    assert len(label("x" * 500)) == 40
