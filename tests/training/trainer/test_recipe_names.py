"""Names that recipes had in the last release are read as those of this one."""

from dataclasses import asdict, replace

import pytest

from training.config import from_record, override
from training.recipes import RECIPES, smoke, source_2012


def test_old_names_are_accepted_where_fields_are_set(capsys: pytest.CaptureFixture[str]) -> None:
    old = {"teaching": "0.25", "lrn": "program", "schedule": "program"}
    recipe = override(smoke(), old)
    assert (recipe.distillation_weight, recipe.lrn, recipe.schedule) == (0.25, "cuda_convnet", "cuda_convnet")
    assert capsys.readouterr().err.splitlines() == [
        "teaching=0.25 is the old name of distillation_weight=0.25, which goes with release 0.2.0.",
        "lrn=program is the old name of lrn=cuda_convnet, which goes with release 0.2.0.",
        "schedule=program is the old name of schedule=cuda_convnet, which goes with release 0.2.0.",
    ]


def test_a_stored_recipe_of_the_last_release_is_the_recipe_of_today(capsys: pytest.CaptureFixture[str]) -> None:
    record = asdict(replace(source_2012(), distillation_weight=0.75))
    record["teaching"] = record.pop("distillation_weight")
    record |= {"lrn": "program", "schedule": "program"}
    assert from_record(record) == replace(source_2012(), distillation_weight=0.75)
    assert capsys.readouterr().err.count("is the old name of") == 3


@pytest.mark.parametrize("name", RECIPES)
def test_a_stored_recipe_of_today_is_read_without_a_word(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = RECIPES[name]()
    assert from_record(asdict(recipe)) == recipe
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("change", [{"of_tomorrow": 1}, {"stages": [{"length": 3}]}])
def test_a_stored_recipe_of_a_later_release_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is of another release"):
        from_record(asdict(smoke()) | change)
