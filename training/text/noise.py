"""What hands and tongues do to sentences: slips, lost punctuation and little words, shorthand, drawl, accents."""

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

#: Words as they are written down by those who speak like that: Scots, London, Texas.
_ACCENTS = (
    {
        "of": "o", "with": "wi", "to": "tae", "those": "thae", "not": "no", "out": "oot", "down": "doon",
        "more": "mair", "old": "auld", "older": "aulder", "little": "wee", "don't": "dinnae", "can't": "cannae",
        "isn't": "isnae", "my": "ma", "your": "yer", "you": "ye", "very": "awfy",
        "have": "hae", "give": "gie", "off": "aff", "from": "fae", "and": "an", "do": "dae", "now": "noo",
        "take": "tak", "make": "mak", "away": "awa", "woman": "wumman", "child": "wean", "boy": "laddie",
        "girl": "lassie", "just": "jist", "would": "wid", "shouldn't": "shouldnae", "doesn't": "doesnae",
    },
    {
        "him": "'im", "his": "'is", "her": "'er", "have": "'ave", "has": "'as", "he": "'e", "isn't": "ain't",
        "my": "me", "of": "o'", "and": "an'", "them": "'em", "you": "ya", "your": "yer", "hair": "'air",
        "doesn't": "don't", "with": "wiv", "something": "summat", "nothing": "nuffin", "for": "fer",
    },
    {
        "you": "y'all", "him": "'im", "of": "o'", "and": "an'", "isn't": "ain't", "aren't": "ain't",
        "your": "yer", "for": "fer", "going": "goin'", "them": "'em", "just": "jus'", "get": "git",
        "old": "ol'", "doesn't": "don't", "can": "kin", "little": "lil'",
    },
)  # fmt: skip


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


def accented(words: list[str], random: Random) -> list[str]:
    """The words as somebody from one place would write them, most of those that sound different there."""
    spelt = random.choice(_ACCENTS)
    return [spelt.get(word, word) if random.random() < 0.8 else word for word in words]


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
    if random.random() < 0.12:
        words = accented(words, random)
    rough = " ".join(words)
    if random.random() < 0.4:
        rough = rough.replace(",", "").replace(".", "").replace("'", "")
    return rough + random.choice(("", "", "", "", ".", "!", "?", "!!", " :)", " ...", " ?"))
