"""The yardstick itself: counted by hand, and held against wrong summaries."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hotline.cli import main
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.engines import EngineSpec
from transcription.redaction import redact_turns
from transcription.scoring import Score, blackened, heard, summed_up
from transcription.transcript import Speaker
from transcription.truth import KnownCall, TruthError, read

ZONE = ZoneInfo("Asia/Shanghai")
CARD = "11019919661115038X"
CALL: dict[str, Any] = {
    "call_start": "2026-07-14T10:40:00",
    "turns": [
        {"speaker": "agent", "start": 0, "end": 2, "text": "您好，请讲。"},
        {"speaker": "caller", "start": 3, "end": 8, "text": "洗衣机漏水，身份证11019919661115038X，花了328.5元。"},
        {"speaker": "agent", "start": 9, "end": 12, "text": "师傅明天下午上门，工单GD1207。"},
    ],
    "truth": {
        "category": "报修",
        "urgency": "中",
        "sentiment": "中性",
        "facts": [
            {"kind": "id_card", "value": CARD, "turn": 1},
            {"kind": "amount", "value": "328.5", "turn": 1},
            {"kind": "date", "value": "2026-07-15", "turn": 2, "also": [1]},
            {"kind": "ticket_no", "value": "GD1207", "turn": 2},
        ],
        "promises": [{"who": "agent", "what": "上门", "by_when": "2026-07-15"}],
        "pii": [{"kind": "id_card", "value": CARD, "turn": 1, "surface": CARD}],
    },
}


def known(**truth: Any) -> KnownCall:
    """The call above."""
    call = read("a", json.dumps(CALL | {"truth": CALL["truth"] | truth}), ZONE)
    assert call is not None
    return call


def summary(*facts: tuple[FactKind, str], **more: Any) -> Summary:
    """A summary that says these facts."""
    details = tuple(Detail(kind, value, "caller", 3.0, 1, (1,)) for kind, value in facts)
    made = Summary(None, Category.REPAIR, Urgency.MIDDLE, Sentiment.NEUTRAL, details, (), {})
    return replace(made, **more)


def test_facts_count_by_kind_and_value_and_amounts_as_numbers() -> None:
    """One right, one of another kind, one said twice; identity cards are another measure's."""
    call = known()
    said = summary(
        (FactKind.AMOUNT, "328.50"),
        (FactKind.AMOUNT, "328.5"),
        (FactKind.ORDER_NO, "GD1207"),
        (FactKind.ID_CARD, "****038X"),
    )
    score, missed = summed_up(call, said, call.turns)
    assert (score.facts_wanted, score.facts_said, score.facts_hit) == (3, 3, 1)
    assert set(missed.facts_missed) == {"date 2026-07-15", "ticket_no GD1207"}
    assert set(missed.facts_wrong) == {"amount 328.5", "order_no GD1207"}


@pytest.mark.parametrize(("who", "by_when", "hit"), [
    ("agent", "2026-07-15", 1), ("agent", "2026-07-15T14:00/18:00", 1), ("agent", "2026-07-16", 0), ("agent", "", 0),
    ("caller", "2026-07-15", 0),
])  # fmt: skip
def test_promises_count_by_who_and_day(who: str, by_when: str, hit: int) -> None:
    """In whatever words."""
    call = known()
    score, missed = summed_up(call, summary(promises=(Promise(who, "来一趟", by_when, 2),)), call.turns)
    assert (score.promises_hit, len(missed.promises_missed), len(missed.promises_wrong)) == (hit, 1 - hit, 1 - hit)


def test_labels_and_sentences() -> None:
    """A wrong category is named; a sentence is evidenced by what its own turns say, not by others."""
    call = known()
    said = summary(category=Category.LOGISTICS, evidence={"洗衣机漏水": (1,), "师傅明天上门": (1,), "冰箱不制冷": (1,)})
    score, missed = summed_up(call, said, call.turns)
    assert (score.category, score.urgency, score.sentiment) == (0, 1, 1)
    assert missed.category == "物流 for 报修"
    assert (score.sentences, score.evidenced) == (3, 1)


def test_a_card_is_hidden_when_nothing_of_it_shows_anywhere() -> None:
    """Neither in the turns nor beside them; and digits that are no card's are not to be masked."""
    call = known()
    bare = blackened(call, call.turns, "", aligned=True)
    assert (bare.cards, bare.hidden, bare.masked, bare.other_digits) == (1, 0, 0, 8)
    kept = redact_turns(call.turns)[0]
    assert blackened(call, kept, "", aligned=True).hidden == 1
    assert blackened(call, kept, f"facts: {CARD[4:14]}", aligned=True).hidden == 0
    spoken = replace(call.turns[1], text="身份证幺幺零幺九九幺九六六幺幺幺五零三八叉")
    assert blackened(call, (spoken,), "", aligned=False).hidden == 0
    over = (*kept[:2], replace(kept[2], text="师傅明天下午上门，工单GD**07。"))
    assert blackened(call, over, "", aligned=True).masked == 2


def test_hearing_is_counted_by_characters_and_by_whose_turn_it_was() -> None:
    """Written or spoken numbers are both right; a turn on the other's leg is wrong, one without a trace lost."""
    call = known()
    assert heard(call, call.turns).character_errors == 0
    assert heard(call, call.turns).right_speaker == 3
    got = (
        replace(call.turns[0], text="您好请"),
        replace(call.turns[1], speaker=Speaker.AGENT, text=""),
    )
    score = heard(call, got)
    assert score.characters == sum(ch.isalnum() for turn in call.turns for ch in turn.text)
    assert (score.right_speaker, score.lost_turns, score.true_turns) == (1, 1, 3)
    agent = sum(ch.isalnum() for ch in call.turns[2].text)
    caller = sum(ch.isalnum() for ch in call.turns[1].text)
    assert score.character_errors == 1 + agent + caller


def test_scores_add_up() -> None:
    """Over calls."""
    score = Score(calls=1, facts_hit=2)
    score += Score(calls=1, facts_hit=3, spent=0.5)
    assert (score.calls, score.facts_hit, score.spent) == (2, 5, 0.5)


@pytest.mark.parametrize(("raw", "says"), [
    ("{", "no JSON"),
    (json.dumps(CALL | {"turns": [{"speaker": "bot"}]}), "'bot' is not a valid Speaker"),
    (json.dumps(CALL | {"truth": CALL["truth"] | {"category": "别的"}}), "'别的' is not a valid Category"),
    (json.dumps(CALL | {"call_start": "yesterday"}), "Invalid isoformat string"),
])  # fmt: skip
def test_a_broken_file_is_named(raw: str, says: str) -> None:
    """With what is wrong."""
    with pytest.raises(TruthError, match=f"dev01: .*{says}"):
        read("dev01", raw, ZONE)


def test_other_json_is_none_of_ours() -> None:
    """A manifest beside the calls."""
    assert read("manifest", '{"files": []}', ZONE) is None
    assert read("list", "[]", ZONE) is None
    assert known().called_at == datetime(2026, 7, 14, 10, 40, tzinfo=ZONE)


def test_the_command_prints_a_table(
    tmp_path: Path, script: Callable[..., EngineSpec], leg_file: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A column for the rules, one for spoken words, one for each engine; what was missed on wish; counts as JSON."""
    config = tmp_path / "hotline.toml"
    config.write_text('data = "data"\n', encoding="utf-8")
    folder = tmp_path / "calls"
    folder.mkdir()
    (folder / "one.json").write_text(json.dumps(CALL, ensure_ascii=False), encoding="utf-8")
    (folder / "two.json").write_text(json.dumps(CALL, ensure_ascii=False), encoding="utf-8")
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    leg_file("one-rx", 12, (3, "zh_caller")).rename(folder / "one-rx.wav")
    leg_file("one-tx", 12, (0.2, "zh_agent")).rename(folder / "one-tx.wav")
    spec = script("您好请讲", "洗衣机漏水")
    engine = f"scripted={spec.model}"
    assert main(["eval", str(folder), "--config", str(config), "--engine", engine, "-v"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "2 calls, 1 with sound"
    assert lines[2] == "|  | given turns | word by word | scripted script.json |"
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ")[1:] for line in lines if line.startswith("| ")}
    assert rows["category"][0] == "1.000 (2 of 2)"
    assert rows["identity and bank cards hidden"][:2] == ["1.000 (2 of 2)", "1.000 (2 of 2)"]
    assert rows["turns with the right speaker"][2].startswith("0.667 (2 of 3)")
    assert "MB" in rows["memory of the engine at most"][2]
    assert "one.json: missed: amount 328.5" in printed.out
    assert "scripted script.json: 1 of 1 calls, one.json took" in printed.err
    assert main(["eval", str(folder), "--config", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["given turns"]["score"]["calls"] == 2


def test_the_command_says_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No calls, no sound, no such engine, a broken call: exit 2 and a sentence."""
    config = tmp_path / "hotline.toml"
    config.write_text('data = "data"\n', encoding="utf-8")
    folder = tmp_path / "calls"
    folder.mkdir()

    def said(*flags: str) -> str:
        assert main(["eval", str(folder), "--config", str(config), *flags]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        return printed.err

    assert "no NAME.json with a truth" in said()
    (folder / "one.json").write_text(json.dumps(CALL), encoding="utf-8")
    assert "there is no engine 'siri'" in said("--engine", "siri")
    assert "has sound" in said("--engine", f"scripted={tmp_path}")
    (folder / "two.json").write_text('{"truth": {}}', encoding="utf-8")
    assert "two.json: KeyError 'turns'" in said()
    assert main(["eval", str(folder / "gone"), "--config", str(config)]) == 2
    assert "is no folder" in capsys.readouterr().err
