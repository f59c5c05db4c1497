import pytest

from trimtab.data.label_remarks import label_warnings


@pytest.mark.parametrize("label", ["-1", "-", "nan", "NaN", "None", "", "?", "N/A"])
def test_a_label_that_may_stand_for_none(label):
    [said] = label_warnings((label, "no", "yes"), 100)
    assert said.startswith(f"Warning: label {label!r} is a class like the others")
    assert f"drop = [{label!r}]" in said


@pytest.mark.parametrize("names", [("-1", "1"), ("no", "yes"), ("0", "1", "2"), tuple(map(str, range(150)))])
def test_labels_that_are_meant(names):
    assert label_warnings(names, 10_000) == []


def test_a_column_of_ids_is_no_column_of_labels():
    [said] = label_warnings(tuple(map(str, range(200))), 180)
    assert said.startswith("Warning: there are 200 labels for 180 rows of train; if their column holds ids")
