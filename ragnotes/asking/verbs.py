"""English verbs whose forms no stemmer brings together: "what did I buy?" is answered by "bought a card"."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BASE_FORMS", "other_forms"]

_IRREGULAR = """
arise arose arisen; awake awoke awoken; beat beaten; become became; begin began begun; bend bent; bite bit bitten;
bleed bled; blow blew blown; break broke broken; breed bred; bring brought; build built; burn burnt; buy bought;
catch caught; choose chose chosen; cling clung; come came; creep crept; deal dealt; dig dug; draw drew drawn;
dream dreamt; drink drank drunk; drive drove driven; eat ate eaten; fall fell fallen; feed fed; feel felt;
fight fought; find found; flee fled; fly flew flown; forbid forbade forbidden; forget forgot forgotten;
forgive forgave forgiven; freeze froze frozen; give gave given; go went gone; grow grew grown; hang hung; hear heard;
hide hid hidden; hold held; keep kept; kneel knelt; know knew known; lead led; lean leant; learn learnt; leave left;
lend lent; light lit; lose lost; make made; mean meant; meet met; mistake mistook mistaken; overcome overcame; pay paid;
prove proven; rebuild rebuilt; ride rode ridden; ring rang rung; rise risen; run ran; say said; see saw seen;
seek sought; sell sold; send sent; sew sewn; shake shook shaken; shine shone; shoot shot; show shown;
shrink shrank shrunk; sing sang sung; sink sank sunk; sit sat; sleep slept; slide slid; speak spoke spoken; spell spelt;
spend spent; spin spun; stand stood; steal stole stolen; stick stuck; sting stung; strike struck; swear swore sworn;
sweep swept; swim swam swum; swing swung; take took taken; teach taught; tear tore torn; tell told; think thought;
throw threw thrown; understand understood; undertake undertook undertaken; wake woke woken; wear wore worn;
weave wove woven; weep wept; win won; withdraw withdrew withdrawn; wring wrung; write wrote written
"""
"""Each verb with its forms. Those that are another word too (`rose`, `lay`, `ground`, `bore`) are left out."""

BASE_FORMS: Mapping[str, str] = {
    form: forms[0] for forms in map(str.split, _IRREGULAR.split(";")) for form in forms[1:]
}
"""The verb that a form belongs to."""

_FORMS: Mapping[str, tuple[str, ...]] = {
    verb: tuple(form for form, base in BASE_FORMS.items() if base == verb) for verb in set(BASE_FORMS.values())
}


def other_forms(word: str) -> list[str]:
    """The forms of the verb that a word is a form of, besides itself; [] for every other word."""
    word = word.lower()
    bare = word.removesuffix("ing").removesuffix("s")
    for base in (BASE_FORMS.get(word, word), bare, f"{bare}e", bare[:-1]):  # bought; buys, buying; writing; running
        if base in _FORMS:
            return [form for form in (base, *_FORMS[base]) if form != word]
    return []
