"""What is promised besides the rows of the fault matrix, and what proves it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PROMISES", "Promise"]

DOORS = "tests/test_doors.py::"
INDEXING = "tests/test_indexing.py::"
TRUTH = "tests/test_folder_truth.py::"
REMOVAL = "tests/stores/test_removal.py::"
MIGRATIONS = "tests/stores/test_migrations.py::"


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise; its proofs are as those of a row."""

    promise: str
    proofs: tuple[str, ...]


PROMISES = (
    Promise(
        "An index that was brought up to date equals one that is made anew",
        (
            "tests/test_state_machine.py::test_an_index_follows_its_notes_through_any_changes_and_crashes",
            INDEXING + "test_updates_equal_a_rebuild_and_a_fresh_index",
            "state-machine",
        ),
    ),
    Promise(
        "A rename embeds nothing, and an edited paragraph embeds that paragraph",
        (
            INDEXING + "test_a_rename_and_a_copy_embed_nothing",
            INDEXING + "test_one_edited_paragraph_of_a_long_note_embeds_that_paragraph",
        ),
    ),
    Promise(
        "A scan of unchanged notes opens none of them and is short",
        (
            TRUTH + "test_a_scan_of_unchanged_notes_opens_no_file_of_them",
            "ten-thousand-files",
        ),
    ),
    Promise(
        "Of a note that is edited, deleted or forgotten no word and no vector stays in any file",
        (
            REMOVAL + "test_of_notes_edited_and_deleted_in_any_order_no_word_and_no_vector_is_left",
            REMOVAL + "test_a_run_that_was_killed_before_the_end_is_made_good_by_the_next",
            REMOVAL + "test_half_written_vectors_of_a_killed_run_are_removed_by_the_next",
        ),
    ),
    Promise(
        "An index of every released schema version opens, answers and can be brought up to date",
        (
            MIGRATIONS + "test_an_old_index_answers_and_is_brought_to_this_schema",
            MIGRATIONS + "test_an_old_index_can_be_updated",
            MIGRATIONS + "test_a_migration_that_is_cut_off_leaves_the_old_index",
        ),
    ),
    Promise(
        "With the bundled models nothing but the machine itself is ever connected to",
        (
            DOORS + "test_in_a_network_without_interfaces_notes_are_indexed_and_answered",
            DOORS + "test_nothing_but_the_loopback_is_ever_connected_to",
        ),
    ),
    Promise(
        "Nothing is unpickled, and no code that comes with a model is run",
        (
            DOORS + "test_nothing_is_unpickled_and_no_code_of_others_is_run",
            DOORS + "test_an_embedder_with_pickled_weights_is_refused",
        ),
    ),
    Promise(
        "What is written is for its user alone, whatever the umask",
        (DOORS + "test_with_umask_000_everything_written_is_its_users_alone",),
    ),
    Promise(
        "With history off, no question and no answer is kept",
        (
            DOORS + "test_history_that_is_off_keeps_nothing_over_http",
            "tests/test_cli_history.py::test_nothing_is_kept_where_that_is_wanted",
        ),
    ),
    Promise(
        "Any bytes become a document or a failure with a reason, and any document becomes passages",
        ("tests/reading/test_any_bytes.py::test_any_bytes_become_a_document_or_a_reason",),
    ),
    Promise(
        "Child processes end with their parent and do not keep its lock",
        (
            "tests/test_children.py::test_a_child_ends_with_a_parent_that_is_killed_and_does_not_keep_its_lock",
            "tests/stores/test_locking.py::test_no_child_inherits_the_lock",
        ),
    ),
    Promise(
        "Beside a generation and an indexing run, searches and probes stay fast",
        (
            "tests/test_load.py::test_searches_and_probes_stay_fast_beside_a_generation_and_an_indexing_run",
            "beside-work",
        ),
    ),
    Promise(
        "Twenty askers while notes change see one generation each, no error, and what one asker alone would see",
        (
            "tests/test_load.py::test_twenty_askers_beside_edits_and_deletes_see_one_generation_and_no_error",
            "many-at-once",
        ),
    ),
)
