"""Replies to the review exchange as models really send them, answering asked.REVIEW with its candidates A,
B, C.

(name, body, weights in the order A, B, C) where a weight can be had; (name, body, part of the sentence)
where not.
"""

Weights = tuple[float | None, float | None, float | None]

GOOD = (
    '{"reviews":[{"candidate":"A","claims":[{"claim_id":"cc22dd","quote":"17 × 3 = 51","verdict":"verified",'
    '"reason":"3*17"}],"justification":"Right.","stance":"strong_agree","categories":{"correctness":95,'
    '"completeness":80,"evidence":70,"feasibility":null,"clarity":60},"weight":70},'
    '{"candidate":"B","claims":[],"justification":"Carry lost.","stance":"disagree","categories":{'
    '"correctness":-90,"completeness":0,"evidence":0,"feasibility":null,"clarity":10},"weight":-30},'
    '{"candidate":"C","claims":[],"justification":"A guess.","stance":null,"categories":{"correctness":-50,'
    '"completeness":null,"evidence":null,"feasibility":null,"clarity":null},"weight":0}],"missed":"carry"}'
)


def entry(label: str, weight: str, *, more: str = "") -> str:
    return f'{{"candidate": "{label}", "justification": "j", "weight": {weight}{more}}}'


def ballot(*entries: str) -> str:
    return f'{{"reviews": [{", ".join(entries)}], "missed": null}}'


B_5 = entry("B", "5")

READ: list[tuple[str, str | bytes, Weights]] = [
    ("as asked", GOOD, (70, -30, 0)),
    ("fenced", f"```json\n{GOOD}\n```", (70, -30, 0)),
    ("talk around it", f"Here are my reviews.\n{GOOD}\nI hope {{this}} helps!", (70, -30, 0)),
    ("thinking first", f"<think>A is {{best}}: {B_5}</think>{GOOD}", (70, -30, 0)),
    ("Python's dict", GOOD.replace('"', "'").replace("null", "None"), (70, -30, 0)),
    ("trailing commas", ballot(entry("A", "7", more=","), B_5 + ","), (7, 5, None)),
    ("weights by label", '{"reviews": {"A": 80, "B": -20, "C": 0}}', (80, -20, 0)),
    ("reviews by label", '{"reviews": {"A": {"weight": 80}, "B": {"score": -20}}}', (80, -20, None)),
    ("the label map alone", '{"A": 80, "B": -20}', (80, -20, None)),
    ("the label map with words", '{"Candidate A": 80, "Candidate B": -20}', (80, -20, None)),
    ("a list of label maps", '[{"A": 80}, {"B": -20}]', (80, -20, None)),
    ("a list alone", f"[{entry('A', '1')}, {entry('B', '2')}, {entry('C', '3')}]", (1, 2, 3)),
    ("one object a line", f"{entry('A', '1')}\n{entry('B', '2')}\n{entry('C', '3')}", (1, 2, 3)),
    ("one object a line, fenced", f"```\n{entry('A', '1')}\n{entry('B', '2')}\n```", (1, 2, None)),
    ("one review alone", entry("A", "60"), (60, None, None)),
    ("wrapped", f'{{"ballot": {GOOD}}}', (70, -30, 0)),
    ("wrapped in a list", f"[{GOOD}]", (70, -30, 0)),
    ("under votes", '{"votes": {"A": 6, "B": -3}}', (6, -3, None)),
    (
        "candidates listed apart",
        '{"candidates": ["A", "B"], "weights": {"A": 60, "B": -20}}',
        (60, -20, None),
    ),
    ("score", ballot('{"candidate": "A", "score": 55}'), (55, None, None)),
    ("rating", ballot('{"label": "A", "rating": 55}'), (55, None, None)),
    ("vote under id", ballot('{"id": "A", "vote": 55}'), (55, None, None)),
    ("capital keys", '{"Reviews": [{"Candidate": "A", "Weight": 55}]}', (55, None, None)),
    ("weight goes before score", ballot('{"candidate": "A", "score": 8, "weight": 55}'), (55, None, None)),
    ("label with its word", ballot(entry("Candidate A", "4"), entry("proposal b", "5")), (4, 5, None)),
    ("label in brackets", ballot(entry("[A]", "4"), entry("[candidate b]", "5")), (4, 5, None)),
    ("label in bold", ballot(entry("**A**", "4"), entry("candidate_b", "5")), (4, 5, None)),
    ("label with a dot", ballot(entry("A.", "4"), entry("(b)", "5"), entry("#c", "6")), (4, 5, 6)),
    ("label run together", ballot(entry("CandidateA", "4")), (4, None, None)),
    ("unknown label", ballot(entry("Z", "90"), B_5), (None, 5, None)),
    ("label as number", ballot('{"candidate": 1, "weight": 90}', B_5), (None, 5, None)),
    ("label null", ballot('{"candidate": null, "weight": 90}', B_5), (None, 5, None)),
    ("label as list", ballot('{"candidate": ["A"], "weight": 90}', B_5), (None, 5, None)),
    ("two labels in one", ballot(entry("A and B", "90"), B_5), (None, 5, None)),
    ("the own label", ballot(entry("D", "100"), B_5), (None, 5, None)),
    ("the own label with its word", ballot(entry("candidate d", "100"), B_5), (None, 5, None)),
    ("my own proposal", ballot(entry("my own proposal", "100"), entry("Mine", "9"), B_5), (None, 5, None)),
    ("the own label as key", '{"reviews": {"A": 10, "D": 100, "own": 100}}', (10, None, None)),
    ("weight as text", ballot(entry("A", '"80"'), entry("B", '"+5"'), entry("C", '" -7.5 "')), (80, 5, -7.5)),
    ("weight out of a hundred", ballot(entry("A", '"80/100"'), entry("B", '"5%"')), (80, 5, None)),
    ("a true minus sign", ballot(entry("A", '"\u221240"'), entry("B", '"\u20135"')), (-40, -5, None)),
    ("weight out of ten", ballot(entry("A", '"8/10"'), B_5), (None, 5, None)),
    ("weight in words", ballot(entry("A", '"high"'), B_5), (None, 5, None)),
    ("a range", ballot(entry("A", '"60-80"'), B_5), (None, 5, None)),
    ("weight true", ballot(entry("A", "true"), B_5), (None, 5, None)),
    ("weight false", ballot(entry("A", "false"), B_5), (None, 5, None)),
    ("weight null", ballot(entry("A", "null"), B_5), (None, 5, None)),
    ("weight missing", ballot('{"candidate": "A"}', B_5), (None, 5, None)),
    ("weight as list", ballot(entry("A", "[80]"), B_5), (None, 5, None)),
    ("weight as object", ballot(entry("A", '{"value": 80}'), B_5), (None, 5, None)),
    ("weight empty", ballot(entry("A", '""'), B_5), (None, 5, None)),
    ("not a number", ballot(entry("A", "NaN"), B_5), (None, 5, None)),
    ("not a number, as text", ballot(entry("A", '"NaN"'), entry("C", '"-Infinity"'), B_5), (None, 5, None)),
    ("infinite", ballot(entry("A", "Infinity"), entry("C", "-Infinity"), B_5), (None, 5, None)),
    ("overflowing", ballot(entry("A", "1e309"), entry("C", "-1e999"), B_5), (None, 5, None)),
    ("a weight of 5,000 digits", ballot(entry("A", "9" * 5_000), B_5), (None, 5, None)),
    ("too large", ballot(entry("A", "101"), entry("C", "1e300"), B_5), (100, 5, 100)),
    ("too small", ballot(entry("A", "-100.01"), entry("C", "-1e9"), B_5), (-100, 5, -100)),
    ("minus zero", ballot(entry("A", "-0.0"), B_5), (0, 5, None)),
    ("weight twice", ballot(entry("A", "10", more=', "weight": 90'), B_5), (None, 5, None)),
    ("weight twice, in capitals", ballot(entry("A", "10", more=', "Weight": 90'), B_5), (None, 5, None)),
    ("label twice", ballot('{"candidate": "A", "candidate": "C", "weight": 9}', B_5), (None, 5, None)),
    ("key twice in the map", '{"reviews": {"A": 10, "A": 90, "B": 5}}', (None, 5, None)),
    ("two entries that differ", ballot(entry("A", "10"), entry("A", "90"), B_5), (None, 5, None)),
    ("three entries", ballot(entry("A", "10"), entry("A", "90"), entry("A", "10"), B_5), (None, 5, None)),
    ("two entries alike", ballot(entry("A", "10"), entry("A", "10.0"), B_5), (10, 5, None)),
    ("entries that are none", ballot('"A: 5"', "7", "null", "[]", B_5), (None, 5, None)),
    (
        "cut after a weight",
        '{"reviews": [' + entry("A", "10") + ', {"candidate": "B", "weight": 5}',
        (10, 5, None),
    ),
    (
        "cut inside a weight: 8 is not 80",
        f'{{"reviews": [{B_5}, {{"candidate": "A", "weight": 8',
        (None, 5, None),
    ),
    ("cut inside a label", f'{{"reviews": [{B_5}, {{"candidate": "A', (None, 5, None)),
    (
        "cut inside a justification",
        f'{{"reviews": [{B_5}, {{"candidate": "A", "justification": "so',
        (None, 5, None),
    ),
    (
        "cut, single-quoted",
        "{'reviews': [{'candidate': 'B', 'weight': 5}, {'candidate': 'A', 'weight': 8",
        (None, 5, None),
    ),
    ("Windows line ends", GOOD.replace(",", ",\r\n"), (70, -30, 0)),
    ("bytes that are not UTF-8", GOOD.encode().replace(b"Right", b"Right\xff"), (70, -30, 0)),
    ("2,000 entries", ballot(*[entry("A", "1")] * 2_000, B_5), (1, 5, None)),
    ("2,000 unknown ones", ballot(*[entry("Q", "1")] * 2_000, B_5), (None, 5, None)),
]

REFUSED: list[tuple[str, str | bytes, str]] = [
    ("nothing", "", "the reply is empty"),
    ("prose", "A is the best, I give it 80 of 100.", "no JSON object, only text"),
    ("prose with labels", "A: 80\nB: -20\nC: 0", "no JSON object, only text"),
    ("the wrong fields", '{"colour": "blue", "weight_of_candidates": "all"}', "none of the fields"),
    ("a proposal instead", '{"reasoning": "r", "answer": "391"}', 'it has "reasoning", "answer"'),
    ("no entry", '{"reviews": []}', "candidate A was left out"),
    ("reviews as prose", '{"reviews": "A is best."}', "candidate A was left out"),
    ("reviews null", '{"reviews": null}', "candidate A was left out"),
    ("words without weights", ballot('{"candidate": "A", "justification": "fine"}'), "A has no weight"),
    ("weights in words", ballot(entry("A", '"high"'), entry("B", '"low"')), '("high")'),
    ("no finite weight", ballot(entry("A", "NaN"), entry("B", "1e309")), "its weight is not finite"),
    ("only the own proposal", ballot(entry("D", "100")), "the reviewer's own proposal was dropped"),
    ("only unknown labels", ballot(entry("X", "1"), entry("Y", "2")), 'unknown candidate "X"'),
    ("two lists", '{"reviews": [], "reviews": [' + B_5 + "]}", 'the key "reviews" twice'),
    ("a key twice, damaged", "{'reviews': [{'candidate': 'A', 'weight': 10, 'weight': 90}]}", "a key twice"),
    (
        "a missing bracket",
        '{"reviews": [{"candidate": "A", "weight": 1, "candidate": "B", "weight": 2',
        "twice",
    ),
    ("thinking without end", "<think>" + GOOD, "only a thinking part"),
    ("10 MB", GOOD.encode() * 20_000, "at most 1,000,000 are read"),
    ("deep", '{"reviews": [' + '{"candidate": ' * 50_000, "too deeply nested"),
]
