"""Every wrong setting is one sentence: what was given, where, what to write instead."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from pytest_mlgates.errors import UsageError
from pytest_mlgates.required import required_gates
from pytest_mlgates.settings import Settings, load

FIVE = 'model = "m"\ngolden = "g.csv"\nlabel = "y"\ntask = "binary"\n'
TODAY = datetime.date(2026, 11, 21)
SHIPPED = ["golden_integrity", "is_new", "golden_regression", "bootstrap_auc"]


def read(folder: Path, text: str, *, options: dict | None = None, environ: dict | None = None) -> Settings:
    (folder / "mlgates.toml").write_text(text)
    return load(folder, options or {}, environ or {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (FIVE + 'lable = "x"', "unknown key 'lable' in mlgates.toml: did you mean 'label'?"),
        (FIVE.replace("label", "lable"), "unknown key 'lable' in mlgates.toml: did you mean 'label'?"),
        (FIVE + 'threshold = "x"', "threshold in mlgates.toml must be a number, not 'x' (str)"),
        (FIVE + "threshold = true", "threshold in mlgates.toml must be a number, not True (bool)"),
        (FIVE + "allow_identical = 1", "allow_identical in mlgates.toml must be true or false, not 1 (int)"),
        (FIVE + 'ignore = "id"', 'ignore in mlgates.toml must be a list such as ["a", "b"], not \'id\' (str)'),
        (FIVE.replace("binary", "bin"), "task in mlgates.toml must be one of 'binary', 'multiclass' or 'regression'"),
        (
            FIVE + "[bootstrap_auc]\nbeter = true",
            "unknown key 'bootstrap_auc.beter' in mlgates.toml: did you mean 'better'",
        ),
        (FIVE + "prevalence = 1.5", "prevalence in mlgates.toml cannot be 1.5: it should be less than 1"),
        (FIVE + 'weight = "w"\nprevalence = 0.2', "weight and prevalence both correct for balancing; keep one of them"),
        (FIVE + 'former = "champion"', "former and champion are the same alias, 'champion'"),
        (
            FIVE + 'drill_alias = "champion"',
            "drill_alias and champion are the same alias, 'champion', which a drill must",
        ),
        (FIVE + 'drill_alias = "7"', "drill_alias must be an alias that a drill can move, not '7'"),
        (FIVE + 'drill_alias = "stage:Staging"', "drill_alias must be an alias that a drill can move, not 'stage:"),
        (FIVE + 'drill_alias = "models:/m/7"', "drill_alias must be an alias that a drill can move, not 'models:/m/7'"),
        (FIVE + "[models.a]\n[models.b]", "mlgates.toml has the models a, b: choose one with --mlgate-model NAME"),
        ("model = ", "mlgates.toml is not valid TOML"),
    ],
)
def test_a_wrong_setting_is_one_clear_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value).split("not valid TOML")[0]


def test_no_settings_says_where_it_looked_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"no settings found in {tmp_path} or above: .*mlgates init"):
        load(tmp_path, {}, {})


def test_two_places_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.mlgates]\n")
    with pytest.raises(UsageError, match="both exist: keep one of them"):
        read(tmp_path, FIVE)


def test_command_line_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = read(tmp_path, FIVE + 'champion = "prod"')
    environment = read(tmp_path, FIVE + 'champion = "prod"', environ={"MLGATES_CHAMPION": "env"})
    both = read(tmp_path, FIVE, options={"champion": "cli"}, environ={"MLGATES_CHAMPION": "env"})
    assert [s.champion for s in (file, environment, both)] == ["prod", "env", "cli"]
    assert [s.origin("champion") for s in (file, environment, both)] == [
        "mlgates.toml",
        "MLGATES_CHAMPION in the environment",
        "--mlgate-champion on the command line",
    ]
    assert file.origin("challenger") == "default"


def test_an_environment_value_has_the_type_of_its_key(tmp_path: Path) -> None:
    settings = read(tmp_path, FIVE, environ={"MLGATES_THRESHOLD": "0.4", "MLGATES_CHALLENGER": "3"})
    assert (settings.threshold, settings.challenger) == (0.4, "3")


def test_a_misspelt_variable_is_no_silent_default(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="unknown setting MLGATES_CHAMPOIN in the environment: did you mean 'champion'"
    ):
        read(tmp_path, FIVE, environ={"MLGATES_CHAMPOIN": "x"})


def test_one_of_several_models(tmp_path: Path) -> None:
    text = FIVE + '[models.churn]\nlabel = "churned"\n[models.fraud]\n'
    churn = read(tmp_path, text, options={"model": "churn"})
    assert (churn.model, churn.label) == ("churn", "churned")
    with pytest.raises(UsageError, match=r"--mlgate-model chrun: no such model in mlgates\.toml; did you mean 'churn'"):
        read(tmp_path, text, options={"model": "chrun"})


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "mlgates.toml").write_text(FIVE)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert load(below, {}, {}).golden_file == tmp_path / "g.csv"


def test_the_core_goes_by_task(tmp_path: Path) -> None:
    core = 'gates = "core"\n' + FIVE
    assert required_gates(read(tmp_path, core), SHIPPED, TODAY).names == tuple(SHIPPED)
    regression = required_gates(read(tmp_path, core.replace("binary", "regression")), SHIPPED, TODAY)
    assert regression.unasked == ("bootstrap_auc",)


@pytest.mark.parametrize(
    ("task", "beyond"),
    [
        ("binary", ("golden_validity", "slices")),
        ("multiclass", ("slices",)),
        ("regression", ("golden_validity", "slices")),
    ],
)
def test_the_default_is_the_core_and_what_needs_no_settings(tmp_path: Path, task: str, beyond: tuple[str, ...]) -> None:
    default, core = (
        required_gates(read(tmp_path, text + FIVE.replace("binary", task)), SHIPPED, TODAY).names
        for text in ("", 'gates = "core"\n')
    )
    assert default == (*core, *beyond)


def test_where_a_promotion_moves_a_workload_the_way_back_must_have_been_tried(tmp_path: Path) -> None:
    for text in ("", 'gates = "core"\n'):
        assert "drill_freshness" not in required_gates(read(tmp_path, text + FIVE), SHIPPED, TODAY).names
        assert "drill_freshness" in required_gates(read(tmp_path, f"{text}{FIVE}[cluster]\n"), SHIPPED, TODAY).names


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gates = []", "is empty: nothing asked is nothing proven"),
        ('gates = ["is_new"]', "leaves out 'golden_integrity', which can be waived but not left out"),
        ('gates = ["core", "x", "x"]', "names 'x' twice"),
        ('waivers = [{gate = "x", reason = "r"}]', "a waiver names the gate 'x', which gates in default does not list"),
    ],
)
def test_a_list_that_proves_nothing_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        required_gates(read(tmp_path, FIVE + text), SHIPPED, TODAY)
    assert sentence in str(raised.value)


def test_a_waiver_counts_until_it_expires(tmp_path: Path) -> None:
    def required(expires: str) -> tuple:
        text = f'waivers = [{{gate = "is_new", reason = "refactor", expires = {expires}}}]'
        found = required_gates(read(tmp_path, FIVE + text), SHIPPED, TODAY)
        return "is_new" in found.names, dict(found.waived), found.expired

    assert required("2026-11-21") == (False, {"is_new": "refactor"}, ())
    assert required("2026-11-20") == (True, {}, ("is_new",))


def test_another_phase_has_its_own_list(tmp_path: Path) -> None:
    live = read(tmp_path, FIVE + 'gates_live = ["mine"]', options={"phase": "live"})
    assert required_gates(live, [], TODAY).names == ("mine",)
    with pytest.raises(UsageError, match="name the gates that phase 'drill' must pass"):
        required_gates(read(tmp_path, FIVE, options={"phase": "drill"}), [], TODAY)


def test_a_waiver_for_one_phase_is_no_trouble_in_another(tmp_path: Path) -> None:
    text = FIVE + 'gates_live = ["mine"]\nwaivers = [{gate = "is_new", reason = "refactor", expires = 2026-11-20}]'
    live = required_gates(read(tmp_path, text, options={"phase": "live"}), [], TODAY)
    assert (live.names, live.waived, live.expired) == (("mine",), {}, ())
    assert required_gates(read(tmp_path, text), SHIPPED, TODAY).expired == ("is_new",)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[endpoint]\nheaders = {Authorization = ["s3cret"]}', "what was given (list, not shown here)"),
        ('[endpoint]\nwire = {token = "s3cret"}', "a table with 'token'"),
        ('[endpoint]\nwire = "http://me:s3cret@host"', "'http://***@host'"),
        ('[[waivers]]\ngate = [{token = "s3cret"}]', "a list of tables"),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_shown(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(UsageError) as problem:
        read(tmp_path, FIVE + written)
    assert said in str(problem.value)
    assert "s3cret" not in str(problem.value)
