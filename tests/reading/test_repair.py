from __future__ import annotations

import pytest

from ragnotes.reading.repair import repair_mojibake


@pytest.mark.parametrize(
    ("broken", "sound"),
    [
        ("â€œhiâ€", "“hi”"),
        ("â€œhiâ€\x9d", "“hi”"),
        ("Murray â€“ 2023", "Murray – 2023"),
        ("Ã©tÃ©", "été"),
        ("10Â°C and Â£5", "10°C and £5"),
        ("‚îú‚îÄ‚îÄ src", "├── src"),
        ("sound “line” 😀\nbroken â€“ line", "sound “line” 😀\nbroken – line"),
    ],
)
def test_mojibake_is_undone(broken: str, sound: str) -> None:
    assert repair_mojibake(broken) == sound


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "schöne Grüße – „Zitat“ für 5 €",
        "l’été à Noël, ça coûte 5 € ; VOILÀ l’œuvre « belle »",
        "¿Qué? ¡Sí! El niño, mañana…",
        "emoji 😀👍🏽 and “quotes” – dashes…",
        "ﬁnd ｆｕｌｌ &amp; don't “straighten”",
        "日本語のテキスト",
        "‚îî",
    ],
)
def test_sound_text_stays_as_it_is(text: str) -> None:
    assert repair_mojibake(text) == text
