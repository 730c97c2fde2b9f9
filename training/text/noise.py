"""What hands and tongues do to sentences: typing slips, lost punctuation and little words, shorthand, drawl."""

from __future__ import annotations

from random import Random

_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_SHORTHAND = {
    "you": "u", "your": "ur", "please": "pls", "with": "w/", "without": "w/o", "and": "n", "because": "cuz",
    "are": "r", "want to": "wanna", "going to": "gonna", "give me": "gimme", "him": "em", "a lot": "alot",
    "years": "yrs", "do not": "dont", "don't": "dont", "for": "4", "to": "2", "though": "tho", "really": "rly",
}  # fmt: skip


def typo(word: str, random: Random) -> str:
    """The word with one slip: two letters swapped, one lost, doubled or hit beside. Short words stay."""
    if len(word) < 4 or not word.isalpha():
        return word
    at = random.randrange(len(word) - 1)
    slip = random.choice(("swap", "swap", "drop", "drop", "double", "beside"))
    if slip == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if slip == "drop":
        return word[:at] + word[at + 1 :]
    if slip == "double":
        return word[:at] + word[at] + word[at:]
    return word[:at] + random.choice(_NEIGHBOURS.get(word[at].lower(), word[at])) + word[at + 1 :]


def drawl(word: str, random: Random) -> str:
    """The word as it may be drawn out or clipped in talk: "sooo", "smilin"; most words stay."""
    if len(word) > 5 and word.endswith("ing") and random.random() < 0.6:
        return word[:-1] + random.choice(("", "'"))
    vowels = [at for at, letter in enumerate(word) if letter in "aeiou"]
    if word.isalpha() and vowels and random.random() < 0.1:
        at = random.choice(vowels)
        return word[:at] + word[at] * random.choice((2, 3, 4)) + word[at:]
    return word


def roughen(text: str, random: Random) -> str:
    """The sentence as somebody might have typed it; one in two comes through as it is."""
    if random.random() < 0.5:
        return text
    words = text.split(" ")
    if random.random() < 0.5:
        for _ in range(random.choice((1, 1, 2))):
            at = random.randrange(len(words))
            words[at] = typo(words[at], random)
    if random.random() < 0.25:
        words = [_SHORTHAND.get(word, word) for word in words]
    if random.random() < 0.35 and len(words) > 2:
        articles = [at for at, word in enumerate(words) if word in ("a", "the", "an", "of", "is", "be", "to")]
        for at in sorted(random.sample(articles, min(len(articles), random.choice((1, 2, 3)))), reverse=True):
            del words[at]
    if random.random() < 0.12:
        words = [drawl(word, random) for word in words]
    rough = " ".join(words)
    if random.random() < 0.4:
        rough = rough.replace(",", "").replace(".", "").replace("'", "")
    return rough + random.choice(("", "", "", "", ".", "!", "?", "!!", " :)", " ...", " ?"))
