"""What the words on the screens mean, a sentence or two each: for the notes beside the words, and for the page."""

TERMS: dict[str, tuple[str, str]] = {
    "credits": (
        "credits",
        "Everybody has 100 in each round. They are what votes are paid with; those that are not spent are lost.",
    ),
    "votes": (
        "votes",
        "How strongly you are for or against a proposal. v votes cost v times v credits: 1 costs 1, 3 cost 9, 10 cost "
        "all 100. So a strong opinion is possible and dear.",
    ),
    "influence": (
        "influence",
        "What a ballot says of a proposal, from −1 (against) to +1 (for). Its cost is its square, times 100 credits.",
    ),
    "net_support": (
        "net support",
        "The mean influence of all ballots that weigh a proposal, from −1 to +1. The author's own ballot does not "
        "count for it. The proposal with the most wins the round.",
    ),
    "margin": (
        "margin",
        "The winner's net support less that of the best proposal with another answer.",
    ),
    "conviction": (
        "conviction",
        "How clearly the winner stands out: the support of the winning answer as a share of all support and "
        "opposition in the round. +1: everything speaks for it; 0: nothing does; below 0: the ballots speak against "
        "every proposal, and the winner is only the one they reject least.",
    ),
    "coverage": (
        "coverage",
        "Ballots that count, of those that could have been cast. A lost or struck ballot lowers it, and more evidence "
        "is then needed to stop.",
    ),
    "evidence": (
        "evidence",
        "The conviction of each round, weighed by what a further round could still bring, added up. When it reaches "
        "the threshold, another round is not worth its cost.",
    ),
    "utility": (
        "expected utility",
        "How likely the answer is right after so many rounds, by the policy's law: each round helps less, and fatigue "
        "grows. At its top a further round takes away more than it brings.",
    ),
    "controversy": (
        "controversy",
        "How far the ballots for a proposal lie apart: the variance of their influence.",
    ),
    "pivotal": (
        "decides",
        "Without this ballot, another answer would be in front.",
    ),
    "veto": (
        "strike",
        "A person takes a proposal or a ballot out of the count, with a reason. It stays visible, crossed out, and "
        "counts in no tally that closes later.",
    ),
    "value": (
        "V, the value of a panel",
        "Of recorded questions of this kind, the share in which the right answer has more votes than every wrong one, "
        "each model of the panel giving one vote. It says how well they complete one another; for this question it is "
        "a guess.",
    ),
    "panel": (
        "panel",
        "The models that the broker seated for this question, by what they know, cost and take in time.",
    ),
    "trail": (
        "trail",
        "Every fact of a session as numbered events, each sealed with the hash of the one before: nothing can be "
        "changed or cut without it showing.",
    ),
}


def word(name: str) -> str:
    """The term as it is written in a sentence. KeyError where there is none."""
    return TERMS[name][0]


def meaning(name: str) -> str:
    return TERMS[name][1]
