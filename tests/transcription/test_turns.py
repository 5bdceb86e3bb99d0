"""Two legs become one conversation: order, joins, who talked when."""

from transcription.engines import Segment
from transcription.transcript import Speaker, Turn
from transcription.turns import conversation, windowed

CALLER, AGENT = Speaker.CALLER, Speaker.AGENT


def seg(start: float, end: float, text: str, confidence: float = 0.8) -> Segment:
    """A segment."""
    return Segment(start, end, text, confidence)


def test_turns_follow_their_starts_across_the_legs() -> None:
    """An interruption stands where it began, also inside the other's sentence."""
    made = conversation(
        {CALLER: [seg(4, 6, "你好"), seg(12.9, 19, "你别说了")], AGENT: [seg(0, 3, "您好"), seg(10, 13.8, "抱歉")]}
    )
    assert [(turn.speaker, turn.text) for turn in made] == [
        (AGENT, "您好"), (CALLER, "你好"), (AGENT, "抱歉"), (CALLER, "你别说了"),
    ]  # fmt: skip


def test_one_speakers_pause_does_not_make_two_turns() -> None:
    """Joined with a comma, weighed by length; a longer pause or another voice keeps them apart."""
    made = conversation({CALLER: [seg(1, 2, "我想问一下", 0.5), seg(2.5, 5.5, "发票怎么开", 0.9)], AGENT: []})
    assert made == (Turn(CALLER, 1, 5.5, "我想问一下，发票怎么开", 0.8),)
    assert len(conversation({CALLER: [seg(1, 2, "喂"), seg(3, 4, "喂")], AGENT: []})) == 2
    assert len(conversation({CALLER: [seg(1, 2, "我"), seg(2.5, 4, "要")], AGENT: [seg(2.1, 2.4, "嗯")]})) == 3


def test_a_long_talk_stays_in_turns_that_can_be_cited() -> None:
    """Half a minute is the most that one turn grows to."""
    made = conversation({CALLER: [seg(i * 10, i * 10 + 9.5, "说") for i in range(9)], AGENT: []})
    assert all(turn.end - turn.start <= 30 for turn in made)
    assert sum(turn.text.count("说") for turn in made) == 9


def test_the_agents_turns_say_which_agent_talked() -> None:
    """After a transfer the second agent's words are the second agent's."""
    talk = [(5.0, 20.0, "1001"), (21.0, 40.0, "1003")]
    made = conversation({CALLER: [], AGENT: [seg(6, 9, "您好"), seg(22, 25, "我是售后")]}, talk)
    assert [(turn.agent, turn.text) for turn in made] == [("1001", "您好"), ("1003", "我是售后")]


def test_what_no_agent_said_is_left_out_when_it_is_known_who_talked() -> None:
    """Prompts and announcements on hold are on the agent's leg, too; the caller's leg is untouched."""
    segments = [seg(0, 4, "欢迎致电"), seg(8, 11, "您好"), seg(20, 29, "您的来电对我们很重要"), seg(31, 33, "久等了")]
    talk = [(8.2, 19.0, "1001"), (30.5, 40.0, "1001")]
    assert [segment.text for segment, _ in windowed(segments, talk)] == ["您好", "久等了"]
    assert [agent for _, agent in windowed(segments, None)] == [None] * 4
    assert windowed(segments, []) == []
    made = conversation({CALLER: [seg(1, 3, "人工")], AGENT: segments}, [])
    assert [turn.text for turn in made] == ["人工"]


def test_a_word_at_the_edge_of_a_window_is_kept() -> None:
    """The PBX tells of an answer a moment before or after the recording has it."""
    assert windowed([seg(7.6, 8.1, "喂")], [(8.0, 20.0, "1001")]) == [(seg(7.6, 8.1, "喂"), "1001")]
    assert windowed([seg(2.0, 7.5, "请稍候正在为您转接")], [(8.0, 20.0, "1001")]) == []
