"""What speakers said, as (true, predicted) pairs, and its score by definition."""

from emonas.evaluate.counts import Spoken

LABELS = ("happy", "sad")


def ua(pairs):
    recalls = []
    for label in LABELS:
        answers = [answer for true, answer in pairs if true == label]
        if answers:
            recalls.append(sum(answer == label for answer in answers) / len(answers))
    return sum(recalls) / len(recalls)


def together(spoken, **of):
    """(true, predicted) pairs by speaker as one group."""
    rows = [(name, *pair) for name, pairs in spoken.items() for pair in pairs]
    return Spoken(*(list(column) for column in zip(*rows, strict=True)), **of)


def answers(generator, names, right):
    """Ten utterances of "happy" a speaker."""
    return {
        name: [("happy", "happy" if generator.random() < right else "sad") for _ in range(10)]
        for name in names
    }
