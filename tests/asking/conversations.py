"""Conversations with what their last question asks when it is written out; None where it must stay as it is.

`FIRST` was written before the rules, `SECOND` after them, `THIRD` after what the second had shown. A turn is a
question, or a question with the sentences of its answer.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FIRST", "SECOND", "THIRD", "Asked", "Talk"]

Asked = str | tuple[str, tuple[str, ...]]


class Talk(NamedTuple):
    """What was asked before, the question, and the whole question that it stands for."""

    before: tuple[Asked, ...]
    question: str
    whole: str | None


FIRST = (
    # another time, place or name
    Talk(("What did I read about caches in 2023?",), "and in 2024?", "What did I read about caches in 2024?"),
    Talk(("What did I note in May 2023?",), "And in June?", "What did I note in June 2023?"),
    Talk(("Which papers did I read last week?",), "and this week?", "Which papers did I read this week?"),
    Talk(("What did I note on 9 March 2024?",), "what about 10 March?", "What did I note on 10 March 2024?"),
    Talk(("What did I pay for the graphics card?",), "and in 2022?", "What did I pay for the graphics card in 2022?"),
    Talk(("What is the rent in Lisbon?",), "and in Berlin?", "What is the rent in Berlin?"),
    Talk(("What is the rent in Lisbon?",), "and for Berlin?", "What is the rent for Berlin?"),
    Talk(("How fast is Qdrant on my laptop?",), "what about FAISS?", "How fast is FAISS on my laptop?"),
    Talk(("When did I meet Tom in Paris?",), "and Nina?", "When did I meet Nina in Paris?"),
    Talk(("How do I prune roses?",), "and tomatoes?", "How do I prune tomatoes?"),
    Talk(
        ("How much did I pay for the RTX 3090?", "and the RTX 4090?"),
        "and in 2024?",
        "How much did I pay for the RTX 4090 in 2024?",
    ),
    # pronouns
    Talk(("When was Dune published?",), "who wrote it?", "who wrote Dune?"),
    Talk((("Who founded Mistral?", ("Nina Petrova",)),), "When was she born?", "When was Nina Petrova born?"),
    Talk(
        (("Who wrote Dune?", ("Frank Herbert wrote it in 1965.",)),),
        "when was it published?",
        "when was Dune published?",
    ),
    Talk(("What is late chunking?",), "where did I read that?", "where did I read about late chunking?"),
    Talk(("Where did I buy the used grill?",), "how much does that cost?", "how much does the used grill cost?"),
    Talk(
        (("Which vector databases did I compare?", ("FAISS", "Qdrant", "Chroma")),),
        "what about the second one?",
        "what about Qdrant?",
    ),
    Talk(
        ("Which vector databases did I compare?",),
        "which of those is free?",
        "which of the vector databases I did compare is free?",
    ),
    Talk(("What did Nina say about the budget?",), "did she agree with Tom?", "did Nina agree with Tom?"),
    Talk(("What did I note about my dentist?",), "what is her phone number?", "what is my dentist's phone number?"),
    # ellipsis
    Talk(("Which embedder did I choose?",), "why?", "Why did I choose the embedder?"),
    Talk(("Does FAISS need training?",), "why?", "Why does FAISS need training?"),
    Talk(("What is retrieval augmented generation?",), "more", "Tell me more about retrieval augmented generation"),
    Talk(("What did I pay for the card?",), "when?", "When did I pay for the card?"),
    # whole on their own
    Talk(("What is late chunking?",), "Who wrote Dune?", None),
    Talk(("What is late chunking?",), "Who wrote Dune and when was it published?", None),
    Talk(("What is late chunking?",), "Is it true that FAISS needs training?", None),
    Talk(("What is late chunking?",), "What did I read this week?", None),
    Talk(("What is late chunking?",), "Is there anything about Berlin in my notes?", None),
    Talk(("What is late chunking?",), "What did I write in the note that mentions Qdrant?", None),
    Talk(("What is late chunking?",), "How long does it take to train FAISS?", None),
    Talk(("What is late chunking?",), "And who founded Mistral?", None),
    Talk(("What is late chunking?",), "Does Nina like her job?", None),
    Talk(("What is late chunking?",), "What did I decide about the first draft?", None),
    Talk((), "and in 2024?", None),
    Talk(("What is late chunking?",), "FAISS training", None),
    # other languages
    Talk(("Was habe ich 2023 über Flechten gelesen?",), "und 2024?", "Was habe ich 2024 über Flechten gelesen?"),
    Talk(
        ("¿Qué leí sobre cachés en mayo de 2023?",), "¿y en junio de 2023?", "¿Qué leí sobre cachés en junio de 2023?"
    ),
    Talk(("Combien coûte le vélo à Lyon?",), "et à Paris?", "Combien coûte le vélo à Paris?"),
)

SECOND: tuple[Talk, ...] = (
    # another time, place or name
    Talk(("Which books did I finish in March 2021?",), "and in April?", "Which books did I finish in April 2021?"),
    Talk(
        ("How many kilometres did I run last month?",), "and this month?", "How many kilometres did I run this month?"
    ),
    Talk(("What did the plumber charge?",), "and in 2019?", "What did the plumber charge in 2019?"),
    Talk(
        ("How is the weather station mounted in Oslo?",),
        "and in Bergen?",
        "How is the weather station mounted in Bergen?",
    ),
    Talk(("Which notes mention Postgres?",), "what about SQLite?", "Which notes mention SQLite?"),
    Talk(("What did Ines say about the roof?",), "and about the cellar?", "What did Ines say about the cellar?"),
    Talk(("What did Ines say about the roof?",), "and the windows?", "What did Ines say about the windows?"),
    Talk(("Did I water the ferns on Monday?",), "and on Tuesday?", "Did I water the ferns on Tuesday?"),
    Talk(("Where did I put the spare key?",), "what about the passport?", "Where did I put the passport?"),
    Talk(("How do I season cast iron?",), "and carbon steel?", "How do I season carbon steel?"),
    Talk(("When is Clara's birthday?",), "and Jonas's?", "When is Jonas's birthday?"),
    Talk(("How much memory does Llama 3 need?",), "and Mistral 7B?", "How much memory does Mistral 7B need?"),
    Talk(("What did I learn about sourdough?",), "since 2022?", "What did I learn about sourdough since 2022?"),
    Talk(("Where did I buy the tent?",), "and the price?", "What is the price of the tent?"),
    # pronouns
    Talk(("What is the Zettelkasten method?",), "who invented it?", "who invented the Zettelkasten method?"),
    Talk(("Which podcast explained tides?",), "how long was it?", "how long was the podcast that explained tides?"),
    Talk(
        (("Who repaired the boiler?", ("Mr Okafor repaired the boiler on 4 May.",)),),
        "what did he charge?",
        "what did Mr Okafor charge?",
    ),
    Talk(
        (("Who is my landlord?", ("Petra Lang, Hafenstrasse 3",)),), "when did she call?", "when did Petra Lang call?"
    ),
    Talk(
        ("What did I decide about the bicycle?",), "why did I decide that?", "why did I decide that about the bicycle?"
    ),
    Talk(("How does the heat pump work?",), "is it loud?", "is the heat pump loud?"),
    Talk(("What did I read about lichens?",), "do they need soil?", "do lichens need soil?"),
    Talk(("When did I visit Porto?",), "what did I eat there?", "what did I eat in Porto?"),
    Talk(
        (("When did I sell the car?", ("2022-08-14: sold the car",)),),
        "what else did I do that day?",
        "what else did I do on 2022-08-14?",
    ),
    Talk(
        (("Which printers did I look at?", ("Brother HL-2300", "Canon LBP6030", "Epson ET-2810")),),
        "how much is the last one?",
        "how much is Epson ET-2810?",
    ),
    Talk(("Is Rust faster than Go?",), "is the latter easier?", "is Go easier?"),
    Talk(("Which recipes did I try?",), "which one was vegan?", "which of the recipes I did try was vegan?"),
    Talk(("What is a monad?", "who explained it?"), "when?", "who explained a monad, and when?"),
    Talk(("What did I note about the sauna?",), "what are its dimensions?", "what are the sauna's dimensions?"),
    Talk(("Did Tom like the film?",), "and who directed it?", "who directed the film?"),
    Talk(("How do I descale the kettle?",), "how often should I do that?", "how often should I descale the kettle?"),
    # ellipsis
    Talk(("Where did I lose the umbrella?",), "when?", "When did I lose the umbrella?"),
    Talk(("Is the sauna insulated?",), "how?", "How is the sauna insulated?"),
    Talk(("Which route did we take?",), "why?", "Why did we take the route?"),
    Talk(("What do my notes say about compost?",), "tell me more", "Tell me more about compost"),
    Talk(("Which films did I watch in 2020?",), "any others?", "Which other films did I watch in 2020?"),
    Talk(("When did I buy the kayak?",), "how much?", "How much did the kayak cost?"),
    # whole on their own
    Talk(("What is the Zettelkasten method?",), "Where did I buy the tent and how much did it cost?", None),
    Talk(("What is the Zettelkasten method?",), "Which notes say that the tent leaks?", None),
    Talk(("What is the Zettelkasten method?",), "Is it worth buying a heat pump?", None),
    Talk(("What is the Zettelkasten method?",), "What happened in 2020?", None),
    Talk(("What is the Zettelkasten method?",), "If I buy the kayak, will it fit on the car?", None),
    Talk(("What is the Zettelkasten method?",), "How many books are there on my list?", None),
    Talk(("What is the Zettelkasten method?",), "Did Clara say when she arrives?", None),
    Talk(("What is the Zettelkasten method?",), "Why did the boiler fail?", None),
    Talk(("What is the Zettelkasten method?",), "sourdough starter", None),
    Talk(("What is the Zettelkasten method?",), "What was the first thing I noted about tides?", None),
    Talk(("What is the Zettelkasten method?",), "What do I want to do this summer?", None),
    Talk(("What is the Zettelkasten method?",), "Who is the one that repaired the boiler?", None),
    Talk(("What is the Zettelkasten method?",), "How do I get the dough to rise without making it sour?", None),
    Talk(("What is the Zettelkasten method?",), "When does Jonas meet his brother?", None),
    # other languages
    Talk(("Wann habe ich das Zelt gekauft?",), "und den Schlafsack?", "Wann habe ich den Schlafsack gekauft?"),
    Talk(("¿Cuándo compré la tienda?",), "¿y por qué?", "¿Cuándo compré la tienda, y por qué?"),
    Talk(("Où est la clé du garage?",), "et la clé de la cave?", "Où est la clé de la cave?"),
)

THIRD = (
    Talk(
        ("What did Marta recommend for the garden?",),
        "and for the balcony?",
        "What did Marta recommend for the balcony?",
    ),
    Talk(
        ("Which cheese did I serve in December 2022?",),
        "and in January 2023?",
        "Which cheese did I serve in January 2023?",
    ),
    Talk(("How long does the ferry to Elba take?",), "and to Sardinia?", "How long does the ferry to Sardinia take?"),
    Talk(("Who translated the Iliad?",), "and the Odyssey?", "Who translated the Odyssey?"),
    Talk(("What is differential privacy?",), "who came up with it?", "who came up with differential privacy?"),
    Talk(
        (("Who is the landlord of the studio?", ("Mr Brandt",)),), "what is his number?", "what is Mr Brandt's number?"
    ),
    Talk(("Where did I store the winter tyres?",), "are they still good?", "are the winter tyres still good?"),
    Talk(("What do I know about Kubernetes?",), "how do I install it?", "how do I install Kubernetes?"),
    Talk(
        (("Which languages did I study?", ("Finnish, Latin and Basque",)),),
        "how long did I study the first one?",
        "how long did I study Finnish?",
    ),
    Talk(("When did we go to Crete?",), "who came with us there?", "who came with us in Crete?"),
    Talk(("When did we go to Crete?",), "how was the weather there?", "how was the weather in Crete?"),
    Talk(("Do I have a recipe for ramen?",), "what about pho?", "Do I have a recipe for pho?"),
    Talk(("What did the vet say?",), "when was that?", "When did the vet say?"),
    Talk(("Does the new keyboard have backlight?",), "and the old one?", None),
    Talk(("What are the side effects of ibuprofen?",), "and aspirin?", "What are the side effects of aspirin?"),
    Talk(("What is differential privacy?",), "Does the ferry leave before it gets dark?", None),
    Talk(("What is differential privacy?",), "What did Marta say about their garden?", None),
    Talk(("What is differential privacy?",), "Which of the two ferries is cheaper?", None),
    Talk(("What is differential privacy?",), "And how much is the ferry?", None),
    Talk(
        ("What is differential privacy?",),
        "What does Marta think of that?",
        "What does Marta think of differential privacy?",
    ),
)
