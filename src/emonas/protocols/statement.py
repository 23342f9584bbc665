"""What a protocol does, in words for the report."""

from emonas.protocols.options import ProtocolOptions, TransferOptions


def statement(options: ProtocolOptions) -> str:
    """Say who is tested on whom, what counts as which class, and what was left out."""
    sentences = [_test(options), _validation(options)]
    if options.labels:
        sentences.append(f"Classes: {', '.join(options.labels)}.")
    for corpus, labels in options.labels_of.items():
        sentences.append(f"Of {corpus} only {', '.join(labels)}.")
    if options.merge:
        merged = ", ".join(f"{source} into {target}" for source, target in options.merge.items())
        sentences.append(f"Merged: {merged}.")
    for key in ("style", "language", "gender"):
        if wanted := getattr(options, key):
            sentences.append(f"Only {key}: {', '.join(wanted)}.")
    for corpus, elsewhere in options.transfer.items():
        sentences.append(_elsewhere(corpus, elsewhere))
    if options.limit is not None:
        sentences.append(f"At most {options.limit} utterances a class and corpus: a first look.")
    return " ".join(sentence for sentence in sentences if sentence)


def _elsewhere(corpus: str, options: TransferOptions) -> str:
    """Another corpus, and what its filters and limit leave of it."""
    kept = [*options.style, *options.language, *options.gender]
    only = [f"only {', '.join(kept)}"] if kept else []
    if options.limit is not None:
        only.append(f"at most {options.limit} utterances a class")
    if not only:
        return f"Every fold's model is tested on all of {corpus} too."
    return f"Every fold's model is tested on {corpus} too: {', '.join(only)}."


def _test(options: ProtocolOptions) -> str:
    if options.test == "random":
        return (
            f"Speaker-dependent: {options.repeats} random splits{_numbers(options)}, each testing "
            f"{options.share:.0%} of every class on speakers who are also in training."
        )
    if options.test == "groups":
        return f"One of {options.groups} groups of speakers is tested in turn."
    if options.test == "list":
        return "The folds are a given list."
    if options.validation == "partner":
        which = "each speaker in turn" if options.swap else "one speaker"
        return f"Of one session {which} is tested and the partner validates; the others train."
    return f"One {options.test} is tested in turn."


def _numbers(options: ProtocolOptions) -> str:
    """Which of all random splits these are, where they are not the first."""
    if not options.first:
        return ""
    return f" (numbers {options.first} to {options.first + options.repeats - 1})"


def _validation(options: ProtocolOptions) -> str:
    if options.test == "list" or options.validation == "partner":
        return ""
    if options.validation == "none":
        return "Nothing validates."
    if options.validation == "random":
        return (
            f"A random {options.validation_share:.0%} of the rest validates, "
            "of speakers who are also in training."
        )
    return f"Another {options.validation} validates."
