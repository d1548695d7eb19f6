"""Which language a text is in, told by its function words; which of its words carry nothing; their stems.

English needs no stems from here: the full text engine has its own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from threading import Lock

import snowballstemmer

__all__ = ["FUNCTION_WORDS", "LINK_LABELS", "STEM_MARK", "i_did_in_spanish", "language_of", "stem_forms"]

_WORD = re.compile(r"\w+", re.UNICODE)
_I_DID = re.compile(  # qué, café, así, aquí, allí, ahí, sí, mí, té are no verbs
    r"\b[a-zñáéíóúü]+(?<!qu)(?<!caf)(?<!as)(?<!aqu)(?<!all)(?<!ah)(?<!\bs)(?<!\bm)(?<!\bt)[éí]\b"
)

FUNCTION_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            a about am an and any are as at be been being but by can could did do does doing done for from get give had
            has have having he her here hers him his how i if in into is it its just let may me might mine must my of
            on one or our ours please shall she should so some tell than that the their theirs them then there these
            they this those to us was we were what when where which while who whom whose why will with would you your
            yours""",
        "es": """
            a al algo alguna algunas alguno algunos ante así aunque cada como cómo cual cuál cuales cuáles cuando cuándo
            cuánta cuántas cuanto cuánto cuántos de del desde donde dónde durante e el él ella ellas ellos en entre era
            eran es esa esas ese eso esos esta está están estas este esto estos fue fueron ha había habían han hasta hay
            he la las le les lo los me mi mis mí muy más nos o os otra otro para pero por porque pues que qué quien
            quién quienes quiénes se sea según ser si sido sobre son su sus sí también tan te tiene tienen tras tu tus u
            un una unas uno unos y ya yo""",
        "de": """
            aber als also am an auch auf aus bei beim bin bis bist da damit das dass dem den denn der des die dies diese
            diesem diesen dieser dieses doch du durch ein eine einem einen einer eines er es euch für gab gibt habe
            haben hat hatte hatten ich ihm ihn ihr ihre ihrem ihren ihrer im in ins ist ja kann können man mein meine
            meinem meinen meiner mich mir mit muss nach noch nur ob oder schon sein seine seinem seinen seiner sich sie
            sind so soll sollte über um und uns unser unter vom von vor war waren warum was welche welchem welchen
            welcher welches wem wen wenn wer werden wessen wie wieso wir wird wo wofür worden wurde wurden während zu
            zum zur zwischen""",
        "fr": """
            a ai as au aux avec avez avons c ce ceci cela ces cet cette comme comment d dans de des donc du elle elles
            en entre est et été être eu eux il ils j je l la laquelle le lequel les lesquelles lesquels leur leurs lui
            m ma mais me mes moi mon n ne nos notre nous on ont ou où par parce pas pendant peut pour pourquoi qu quand
            que quel quelle quelles quels qui quoi s sa se selon ses si son sont sur t ta te tes toi ton tu un une vos
            votre vous y à ça étaient était c'est d'un d'une l'on n'est qu'est qu'il qu'elle qu'on qu'un qu'une s'est
            s'il""",
        "it": """
            a ad agli ai al alla alle allo anche avere c che chi ci come con cosa cui d da dagli dai dal dalla dalle
            dei degli del dell della delle dello di dopo dove durante e ed era erano essere fa fra gli ha hai hanno ho i
            il in io l la le lei li lo loro lui ma mi mia mio ne negli nei nel nell nella nelle noi non o per perché
            però più poi quale quali quando quanta quante quanti quanto quella quelle quelli quello questa queste questi
            questo se sei si sia siamo sono stata state stati stato su sua sue sugli sui sul sulla sulle suo suoi tra tu
            un una uno vi voi è c'è com'è cos'è dov'è qual'è""",
        "pt": """
            a ao aos aquela aquele aquilo as até com como da das de dela dele deles depois do dos e ela elas ele eles em
            entre era eram essa esse esta está estas este estes estão eu foi foram há isso isto já lhe mais mas me
            mesmo meu meus minha minhas muito na nas no nos não nós o onde os ou para pela pelas pelo pelos por porque
            porquê qual quais quando quanta quantas quanto quantos que quê quem se sem ser sua suas são também te tem
            ter teu tua tém têm um uma umas uns você vocês à às é""",
        "nl": """
            aan al als bij dan dat de deze die dit doe doen door dus een en er ge geen had hadden haar heb hebben heeft
            het hij hoe hun ik in is je jij jou jouw jullie kan kun kunnen maar me mee meer men met mij mijn moet na
            naar niet nog nu of om omdat onder ons onze ook op over te tegen ten ter toch tot tussen u uit uw van voor
            waar waarom wanneer want waren was wat we welk welke werd werden wie wij wil word worden wordt ze zich zij
            zijn zo zou""",
    }.items()
}
"""Words to leave out of a search in their language, and only there: "die" and "con" say something in English."""

LINK_LABELS = frozenset(
    """
    a abs abstract announcement article arxiv at available blog by code demo discussion docs doi documentation enlace
    original from full fuente github here hier hn homepage aquí link links more notebook official on online page paper
    pdf post preprint project quelle read recording repo repository see seite sitio slides source src talk text the
    thread this to transcript url video via watch web webpage website youtube
    """.split()  # noqa: SIM905 - a paragraph reads better than a column of quotes
)
"""What a link often stands on that names no thing of its own: with these a note says where something is found."""

_MORE_ENGLISH = frozenset(
    "after also because before between more most no not only other over such under very without".split()  # noqa: SIM905
)
"""English function words that may matter to a search, yet tell the language."""

_SNOWBALL = {"es": "spanish", "de": "german", "fr": "french", "it": "italian", "pt": "portuguese", "nl": "dutch"}

STEM_MARK = "\ue000"
"""Opens a stem. A private character, which full text search takes for a letter and no word begins with."""


def language_of(text: str) -> str | None:
    """The code of the language whose function words the text holds most of; None where it has too few of any.

    English wins ties, and one word alone is not enough for another language unless its letters are foreign to English.
    """
    words = set(_WORD.findall(text.lower()))
    counts = {
        language: sum(1 if word.isascii() else 2 for word in known & words)
        for language, known in FUNCTION_WORDS.items()
    }
    counts["en"] += len(_MORE_ENGLISH & words)
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] >= (1 if best == "en" else 2) else None


def i_did_in_spanish(text: str) -> bool:
    """Whether a Spanish text holds a verb of its writer's doings: `leí`, `anoté`. `Pelé` is a name, not a verb."""
    return _I_DID.search(text) is not None and language_of(text) == "es"


def stem_forms(text: str, language: str | None) -> list[str]:
    """The marked stems of the words that carry content, in order; none for English and where there is no language."""
    if language not in _SNOWBALL:
        return []
    words = (word for word in _WORD.findall(text.lower()) if word not in FUNCTION_WORDS[language])
    return [f"{STEM_MARK}{language}{_stem(word, language)}" for word in words if not word.isdigit()]


@lru_cache(maxsize=100_000)
def _stem(word: str, language: str) -> str:
    with _STEMMING:  # a stemmer holds the word at hand
        return str(_STEMMERS[language].stemWord(word))


_STEMMERS = {language: snowballstemmer.stemmer(name) for language, name in _SNOWBALL.items()}
_STEMMING = Lock()
