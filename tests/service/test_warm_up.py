"""What /ready says of the models while they load, fail and come back."""

from __future__ import annotations

from ragnotes.errors import GeneratorFailed
from ragnotes.service.warm_up import LOADING, READY, WarmUp
from tests.fakes import WAIT_S, FakeGenerator, FakeLibrary


class DownAtFirst(FakeGenerator):
    """A language model whose server was not there when it was first asked."""

    up = False

    @property
    def context_tokens(self) -> int:  # type: ignore[override]
        raise GeneratorFailed("http://127.0.0.1:9 cannot be reached", "start it")

    def ready(self, timeout_s: float) -> bool:
        return self.up or bool(self.context_tokens)


def _warmed_up(library: FakeLibrary) -> WarmUp:
    warm_up = WarmUp(library)
    assert warm_up.generator_now() == LOADING
    warm_up.start()
    warm_up.join(WAIT_S)
    return warm_up


def test_a_model_that_could_not_be_loaded_at_first_is_ready_once_it_can() -> None:
    library = FakeLibrary()
    library.generator = model = DownAtFirst()
    warm_up = _warmed_up(library)
    assert warm_up.generator_now() == "absent: http://127.0.0.1:9 cannot be reached; start it"
    model.up = True
    assert warm_up.generator_now() == READY
    model.up = False
    assert warm_up.generator_now().startswith("absent: ")


def test_where_no_model_is_installed_that_is_what_is_said() -> None:
    assert _warmed_up(FakeLibrary(model=False)).generator_now() == "absent: no model: none is installed"
