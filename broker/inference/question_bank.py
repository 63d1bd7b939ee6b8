"""The questions that simulated experts know, with the right answer and the wrong ones that people give."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """wordings: ways to ask it; case, punctuation and articles do not count. why: what shows it."""

    wordings: tuple[str, ...]
    right: str
    wrong: tuple[str, ...]
    why: str


ROWS: tuple[tuple[str, str, str, str], ...] = (
    # wordings, separated by |; the right answer; wrong ones, separated by |; why
    (
        "What is the capital of France?|Capital of France",
        "Paris",
        "Lyon|Marseille",
        "Government and parliament sit there.",
    ),
    (
        "What is the capital of Australia?|Capital of Australia",
        "Canberra",
        "Sydney|Melbourne",
        "It was founded as the seat of government between the two larger rivals.",
    ),
    (
        "What is the capital of Canada?|Capital of Canada",
        "Ottawa",
        "Toronto|Montreal",
        "Parliament sits there; the larger cities are provincial.",
    ),
    (
        "What is the capital of Brazil?|Capital of Brazil",
        "Brasília",
        "Rio de Janeiro|São Paulo",
        "The capital moved there in 1960.",
    ),
    (
        "What is the capital of Turkey?|Capital of Turkey",
        "Ankara",
        "Istanbul|Izmir",
        "It has been the capital since 1923.",
    ),
    (
        "What is the capital of New Zealand?|Capital of New Zealand",
        "Wellington",
        "Auckland|Christchurch",
        "Parliament moved there in 1865.",
    ),
    (
        "What is the largest planet in the solar system?|Which planet is the largest?|Largest planet",
        "Jupiter",
        "Saturn|Neptune",
        "It has more mass than all the other planets together.",
    ),
    (
        "Which planet is closest to the sun?|What is the closest planet to the sun?",
        "Mercury",
        "Venus|Mars",
        "Its orbit is the innermost.",
    ),
    (
        "Which planet is the hottest?|What is the hottest planet in the solar system?|Hottest planet",
        "Venus",
        "Mercury|Mars",
        "Its thick carbon dioxide atmosphere holds the heat; Mercury has none to hold it.",
    ),
    (
        "What is the largest ocean?|Which ocean is the largest?|What is the largest ocean on Earth?",
        "Pacific Ocean",
        "Atlantic Ocean|Indian Ocean",
        "It covers about a third of the planet.",
    ),
    (
        "What is the highest mountain on Earth?|Which mountain is the highest?|Highest mountain",
        "Mount Everest",
        "K2|Kangchenjunga",
        "Its top is at about 8,849 m above the sea.",
    ),
    (
        "What is the chemical symbol for gold?|Chemical symbol of gold|What is the symbol for gold?",
        "Au",
        "Ag|Gd",
        "It comes from the Latin aurum.",
    ),
    (
        "What is the chemical symbol for sodium?|Chemical symbol of sodium|What is the symbol for sodium?",
        "Na",
        "So|S",
        "It comes from the Latin natrium.",
    ),
    (
        "What is the chemical formula of water?|What is the formula for water?|Chemical formula for water",
        "H2O",
        "HO2|H2O2",
        "Two hydrogen atoms are bound to one oxygen atom.",
    ),
    (
        "What is the most abundant gas in the Earth's atmosphere?|Which gas makes up most of the air?",
        "Nitrogen",
        "Oxygen|Carbon dioxide",
        "It makes up about 78 % of dry air.",
    ),
    (
        "At how many degrees Celsius does water boil at sea level?|Boiling point of water in Celsius",
        "100",
        "90|212",
        "The Celsius scale was set by it.",
    ),
    (
        "How many bones does an adult human have?|How many bones are in the adult human body?",
        "206",
        "208|196",
        "Some of a child's bones grow together.",
    ),
    (
        "How many chambers does the human heart have?|How many chambers are in the human heart?",
        "4",
        "2|3",
        "There are two atria and two ventricles.",
    ),
    (
        "Which organelle produces most of a cell's ATP?|What is the powerhouse of the cell?",
        "Mitochondrion",
        "Nucleus|Ribosome",
        "Respiration takes place in it.",
    ),
    (
        "Who wrote Romeo and Juliet?|Author of Romeo and Juliet",
        "William Shakespeare",
        "Christopher Marlowe|Ben Jonson",
        "It stands in the First Folio of his plays.",
    ),
    (
        "Who painted the Mona Lisa?|Painter of the Mona Lisa",
        "Leonardo da Vinci",
        "Michelangelo|Raphael",
        "He kept it until his death in France, where it still is.",
    ),
    (
        "In what year did the Second World War end?|When did World War II end?|When did WW2 end?",
        "1945",
        "1944|1946",
        "Germany surrendered in May and Japan in September of that year.",
    ),
    (
        "In what year did the Berlin Wall fall?|When did the Berlin Wall fall?",
        "1989",
        "1990|1991",
        "It was opened on 9 November of that year; reunification came a year later.",
    ),
    (
        "In what year did humans first land on the Moon?|When was the first Moon landing?",
        "1969",
        "1968|1971",
        "Apollo 11 landed in July of that year.",
    ),
    (
        "Who proposed the general theory of relativity?|Who developed general relativity?",
        "Albert Einstein",
        "Isaac Newton|Max Planck",
        "The field equations were presented in 1915.",
    ),
    (
        "What is the speed of light in vacuum in metres per second?|Speed of light in m/s|"
        "What is the speed of light in meters per second?",
        "299792458",
        "300000000|299792000",
        "The metre is defined by it, so the number is exact.",
    ),
    (
        "What is the smallest prime number?|Smallest prime",
        "2",
        "1|3",
        "1 has one divisor only, and a prime has exactly two.",
    ),
    (
        "Is 91 a prime number?|Is 91 prime?",
        "No",
        "Yes",
        "91 = 7 * 13.",
    ),
    (
        "Is 0.999... equal to 1?|Does 0.999... equal 1?|Is 0.999 repeating equal to 1?",
        "Yes",
        "No",
        "Three times 1/3 = 0.333... is both.",
    ),
    (
        "How many degrees do the angles of a triangle add up to?|Sum of the angles of a triangle in degrees",
        "180",
        "360|90",
        "A parallel through one corner lays the three angles side by side on a line.",
    ),
    (
        "A bat and a ball cost $1.10 in total. The bat costs $1.00 more than the ball. "
        "How much does the ball cost in cents?|A bat and a ball cost 1.10 in total and the bat costs 1.00 "
        "more than the ball. How much does the ball cost in cents?",
        "5",
        "10|100",
        "5 and 105 cents differ by a dollar and add up to 1.10; with 10 the sum would be 1.20.",
    ),
    (
        "If 5 machines take 5 minutes to make 5 widgets, how many minutes do 100 machines take to make "
        "100 widgets?",
        "5",
        "100|20",
        "One machine makes one widget in 5 minutes, and all work at the same time.",
    ),
    (
        "A lily patch doubles in size every day and covers the lake in 48 days. "
        "In how many days is half of it covered?",
        "47",
        "24|46",
        "The day before the lake is full, half of it is.",
    ),
    (
        "What is the derivative of x^2?|Derivative of x squared|What is the derivative of x squared?",
        "2x",
        "x|x^3/3",
        "The power rule brings the exponent down and lowers it by one.",
    ),
    (
        "What is the square root of 144?|Square root of 144",
        "12",
        "14|72",
        "12 * 12 = 144.",
    ),
    (
        "What is 5 factorial?|5 factorial",
        "120",
        "60|25",
        "1 * 2 * 3 * 4 * 5 = 120.",
    ),
    (
        "What is the worst-case time complexity of binary search?|Time complexity of binary search",
        "O(log n)",
        "O(n)|O(n log n)",
        "Each comparison halves what is left.",
    ),
    (
        "What is the worst-case time complexity of quicksort?|Worst case of quicksort",
        "O(n^2)",
        "O(n log n)|O(n)",
        "Bad pivots split off one element at a time.",
    ),
    (
        "How many bits are in a byte?|How many bits does a byte have?|Bits in a byte",
        "8",
        "4|16",
        "An octet is what all current machines address.",
    ),
    (
        "What is the default port of HTTPS?|Which port does HTTPS use by default?|Default HTTPS port",
        "443",
        "80|8443",
        "80 is plain HTTP's; 443 is assigned to HTTP over TLS.",
    ),
    (
        "Which data structure is last in, first out?|Which data structure is LIFO?",
        "Stack",
        "Queue|Heap",
        "push and pop work on the same end.",
    ),
    (
        "What does HTTP status code 404 mean?|What is HTTP 404?",
        "Not Found",
        "Forbidden|Internal Server Error",
        "403 is Forbidden and 500 is the server's own failure.",
    ),
)
BANK = tuple(
    Question(tuple(wordings.split("|")), right, tuple(wrong.split("|")), why)
    for wordings, right, wrong, why in ROWS
)
ARTICLES = frozenset(("a", "an", "the", "please"))


def folded(text: str) -> str:
    """What a wording is compared by: its words, lower case, without punctuation and articles."""
    words = re.findall(r"\w+", text.casefold())
    return " ".join(word for word in words if word not in ARTICLES)


BY_WORDING = {folded(wording): question for question in BANK for wording in question.wordings}


def find(task: str) -> Question | None:
    """The bank's question that the task asks, None where it asks another."""
    return BY_WORDING.get(folded(task))
