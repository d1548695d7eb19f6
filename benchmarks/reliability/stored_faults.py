"""Faults of the process, the disk and the index."""

from __future__ import annotations

from benchmarks.reliability.row import Row

__all__ = ["ROWS"]

LOCAL = "tests/stores/test_local.py::"
FAULTS = "tests/stores/test_faults.py::"
KILLS = "tests/stores/test_kills.py::"
SERVED = "tests/service/test_index_faults.py::"
INTEGRITY = "tests/stores/test_integrity.py::"
OVERLOAD = "tests/test_overload.py::"
BOMBS = "tests/reading/test_bombs.py::"
REBUILDING = "tests/test_rebuilding.py::"
PRESENCE = "tests/service/test_presence.py::"
BACKUPS = "tests/test_backups.py::"
INDEXING = "tests/test_indexing.py::"
MACHINE = "tests/test_state_machine.py::test_an_index_follows_its_notes_through_any_changes_and_crashes"

ROWS = (
    Row(
        1,
        "Killed at a random moment of indexing",
        "kill -9, 200 times, the state accumulating",
        "nothing acknowledged lost, nothing torn, nothing embedded twice",
        (
            KILLS + "test_of_runs_killed_at_random_nothing_is_lost_torn_or_embedded_twice",
            LOCAL + "test_a_writer_killed_at_any_moment_loses_nothing_that_was_acknowledged",
            MACHINE,
            "kill-at-random",
            "state-machine",
        ),
    ),
    Row(
        2,
        "Killed at a durable system call",
        "strace kills at the n-th write, sync, rename, truncate or unlink, for every n",
        "whole at every point; the next run goes on and finishes",
        (
            KILLS + "test_a_run_killed_at_a_durable_call_is_whole_and_the_next_one_finishes",
            "kill-every-call",
        ),
    ),
    Row(
        3,
        "Killed between the vectors' temporary file and its rename",
        "strace kills at rename",
        "the old vectors are used or built anew; no temporary file stays",
        (
            KILLS + "test_a_run_killed_at_a_durable_call_is_whole_and_the_next_one_finishes",
            "kill-every-call",
        ),
    ),
    Row(
        4,
        "Power cut",
        "the image of a mounted ext4 is copied while it is written to; the copy is mounted",
        "every acknowledged document is in the copy, whole",
        ("power-cut",),
    ),
    Row(
        5,
        "The disk fails to sync",
        "strace answers fdatasync and fsync with EIO",
        "the run ends with an error that says so, acknowledges nothing more; the next run finishes",
        (
            FAULTS + "test_a_disk_that_cannot_sync_ends_the_run_and_acknowledges_nothing_more",
            "refused-calls",
        ),
    ),
    Row(
        6,
        "Disk full",
        "tmpfs of 20 sizes; ENOSPC by strace",
        "an error that says so (507), rollback, reading goes on, the run finishes once there is room",
        (
            FAULTS + "test_a_disk_that_fills_up_ends_the_run_and_the_next_one_finishes",
            FAULTS + "test_a_disk_without_room_for_the_run_ends_it_and_the_next_one_finishes",
            SERVED + "test_a_run_that_finds_no_room_ends_with_507_and_the_index_answers_on",
            "disk-full",
            "refused-calls",
        ),
    ),
    Row(
        7,
        "Disk full for the vectors' file alone",
        "its temporary file is /dev/full",
        "search as before, a warning, saved once there is room",
        (
            FAULTS + "test_vectors_without_room_are_a_warning_and_are_saved_once_there_is",
            LOCAL + "test_vectors_that_cannot_be_saved_are_a_warning",
        ),
    ),
    Row(
        8,
        "Limit on the size of files",
        "RLIMIT_FSIZE",
        "an error as for a full disk, no death by signal, the run finishes without the limit",
        (
            FAULTS + "test_a_limit_ends_the_run_with_an_error_and_no_signal",
            SERVED + "test_a_run_that_finds_no_room_ends_with_507_and_the_index_answers_on",
            "limits",
        ),
    ),
    Row(
        9,
        "No more file descriptors",
        "ulimit -n 64 and 200 clients",
        "answered, 503 with Retry-After or not connected; recovers; no half document",
        (
            OVERLOAD + "test_with_few_file_descriptors_two_hundred_clients_are_served_or_refused",
            "limits",
        ),
    ),
    Row(
        10,
        "Memory limit with a huge PDF",
        "RLIMIT_AS",
        "only the child that reads PDFs dies; the file is failed, others go on",
        (BOMBS + "test_a_pdf_that_wants_more_memory_than_it_may_have_fails_alone",),
    ),
    Row(
        11,
        "Database or log cut off",
        "truncate at many lengths",
        "log: what was committed before the cut is kept; database: found, refused, the way to repair named",
        (
            LOCAL + "test_a_cut_off_database_is_damage",
            INTEGRITY + "test_a_cut_off_database_is_found_or_refused",
            INTEGRITY + "test_a_damaged_log_gives_an_earlier_whole_state",
            "damaged-files",
            "cut-logs",
        ),
    ),
    Row(
        12,
        "Bit flip in the vectors' file",
        "one bit at 200 places",
        "not believed, built anew, same results",
        (
            LOCAL + "test_any_damage_to_the_vectors_file_changes_no_result",
            FAULTS + "test_a_flipped_bit_is_found_or_harmless",
            INTEGRITY + "test_a_flipped_bit_anywhere_in_the_vectors_file_is_found_and_changes_no_answer",
            "damaged-files",
        ),
    ),
    Row(
        13,
        "Bit flip in the database",
        "one bit at 200 places",
        "found by `ragnotes check`, or harmless",
        (
            FAULTS + "test_a_flipped_bit_is_found_or_harmless",
            INTEGRITY + "test_a_flipped_bit_in_the_database_never_gives_another_answer_unnoticed",
            INTEGRITY + "test_text_that_changed_on_the_disk_is_never_quoted",
            INTEGRITY + "test_a_row_that_is_not_as_it_was_written_is_found_and_repaired",
            "damaged-files",
        ),
    ),
    Row(
        14,
        "Vectors of an old generation",
        "an old file copied back",
        "caught up, same results",
        (
            LOCAL + "test_a_vectors_file_left_behind_is_caught_up",
            FAULTS + "test_vectors_of_another_generation_or_index_are_not_believed",
            INTEGRITY + "test_vectors_of_a_lost_future_are_found_and_never_taken_for_those_of_other_rows",
            "old-vectors",
        ),
    ),
    Row(
        15,
        "Vectors or index of another embedder",
        "another embedder",
        "refused, and says how to re-embed",
        (
            INDEXING + "test_another_embedder_needs_a_rebuild_and_until_it_is_done_the_old_index_answers",
            REBUILDING + "test_a_question_that_began_before_the_switch_never_meets_vectors_of_another_embedder",
            REBUILDING + "test_a_rebuild_with_another_embedder_than_the_one_that_was_cut_off_begins_anew",
            LOCAL + "test_a_vectors_file_of_a_deleted_index_is_not_believed",
            LOCAL + "test_an_index_of_another_ragnotes_is_refused",
            "tests/test_assembly.py::test_an_index_of_other_folders_or_another_embedder_is_refused",
            "tests/test_end_to_end.py::test_another_embedder_is_refused_until_the_index_is_rebuilt",
            "tests/service/test_routes_library.py::test_an_index_of_another_embedder_is_not_ready",
        ),
    ),
    Row(
        16,
        "Backup while writing",
        "`ragnotes backup` during indexing",
        "the copy is whole and of one generation",
        (
            BACKUPS + "test_backups_and_copies_taken_while_a_run_writes_are_of_one_generation_or_known_to_be_damaged",
            BACKUPS + "test_every_cut_and_every_changed_byte_of_a_backup_is_refused_before_anything_is_touched",
        ),
    ),
    Row(
        17,
        "Plain copy while writing",
        "cp -r of the index",
        "the copy is whole, or its damage is found",
        (
            FAULTS + "test_a_plain_copy_amid_a_run_is_whole_or_found_to_be_damaged",
            BACKUPS + "test_backups_and_copies_taken_while_a_run_writes_are_of_one_generation_or_known_to_be_damaged",
            "copies",
        ),
    ),
    Row(
        18,
        "Two servers on one index",
        "started twice",
        "the second ends at once and names the first",
        (PRESENCE + "test_a_second_server_of_an_index_ends_at_once_and_names_the_first",),
    ),
    Row(
        19,
        "`ragnotes index` beside a server",
        "both at once",
        "handed to the server, or waits for the lock; never damage",
        (
            PRESENCE + "test_a_run_is_handed_to_the_server_with_its_options_summary_and_exit_code",
            PRESENCE + "test_a_run_under_way_is_waited_for_and_another_follows",
            REBUILDING + "test_a_run_beside_another_says_who_has_the_index_and_changes_nothing",
        ),
    ),
    Row(
        20,
        "Database held by another program",
        "BEGIN EXCLUSIVE by sqlite3",
        "waits, then IndexLocked, 503 with Retry-After; goes on afterwards",
        (
            FAULTS + "test_a_database_that_another_program_holds_is_locked_until_it_lets_go",
            FAULTS + "test_readers_of_a_log_answer_while_another_program_writes_and_wait_where_it_keeps_them_out",
            SERVED + "test_while_another_program_writes_searches_are_answered_and_a_run_ends_as_locked",
            SERVED + "test_while_another_program_lets_nobody_read_it_is_503_with_retry_after_and_then_goes_on",
        ),
    ),
    Row(
        21,
        "Writer stopped for 30 s",
        "SIGSTOP, SIGCONT",
        "readers answer, the writer goes on and finishes",
        (
            FAULTS + "test_readers_answer_while_the_writer_stands_still_and_it_finishes_afterwards",
            "stopped-writer",
        ),
    ),
    Row(
        22,
        "SIGTERM amid an answer and amid indexing",
        "kill -TERM",
        "the stream ends with an error event, the document at hand is rolled back, ended within 10 s",
        (
            REBUILDING + "test_a_run_that_is_told_to_end_does_so_and_leaves_whole_documents",
            OVERLOAD + "test_sigterm_ends_a_stream_and_the_server_within_ten_seconds",
            OVERLOAD + "test_sigterm_ends_an_indexing_run_between_two_passages",
            INDEXING + "test_a_run_is_stopped_amid_a_long_file_and_goes_on_from_there",
        ),
    ),
    Row(
        23,
        "Read-only directory or file",
        "chmod as another user; read-only mount",
        "read, or a clear error",
        (FAULTS + "test_in_a_directory_that_may_not_be_written_to_a_run_ends_with_an_error_that_says_so",),
    ),
)
