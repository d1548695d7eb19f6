"""The fault matrix: what may go wrong, how it is brought about, what must hold, and what proves it.

A proof is the node id of a test (`tests/…::test_…`, all its parameters) or the name of a scenario of `scenarios`. A row
without a proof is open. "Whole" means: no finding of `ragnotes check`, every acknowledged document complete and at
its acknowledged version or a later one.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ROWS", "Row"]

LOCAL = "tests/stores/test_local.py::"
FAULTS = "tests/stores/test_faults.py::"
KILLS = "tests/stores/test_kills.py::"
SERVED = "tests/service/test_index_faults.py::"
MACHINE = "tests/test_state_machine.py::test_an_index_follows_its_notes_through_any_changes_and_crashes"


@dataclass(frozen=True, slots=True)
class Row:
    """One fault. `not_applicable` says why nothing is to be proved."""

    number: int
    fault: str
    injected: str
    holds: str
    proofs: tuple[str, ...] = ()
    not_applicable: str | None = None


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
    Row(9, "No more file descriptors", "ulimit -n 64 and 200 clients", "503, recovers, no half document", ()),
    Row(
        10,
        "Memory limit with a huge PDF",
        "RLIMIT_AS",
        "only the child that reads PDFs dies; the file is failed, others go on",
        (),
    ),
    Row(
        11,
        "Database or log cut off",
        "truncate at many lengths",
        "log: what was committed before the cut is kept; database: found, refused, the way to repair named",
        (
            LOCAL + "test_a_cut_off_database_is_damage",
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
            "old-vectors",
        ),
    ),
    Row(15, "Vectors or index of another embedder", "another embedder", "refused, and says how to re-embed", ()),
    Row(16, "Backup while writing", "`ragnotes backup` during indexing", "the copy is whole and of one generation", ()),
    Row(
        17,
        "Plain copy while writing",
        "cp -r of the index",
        "the copy is whole, or its damage is found",
        (
            FAULTS + "test_a_plain_copy_amid_a_run_is_whole_or_found_to_be_damaged",
            "copies",
        ),
    ),
    Row(18, "Two servers on one index", "started twice", "the second ends at once and names the first", ()),
    Row(
        19,
        "`ragnotes index` beside a server",
        "both at once",
        "handed to the server, or waits for the lock; never damage",
        (),
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
        (),
    ),
    Row(
        23,
        "Read-only directory or file",
        "chmod as another user; read-only mount",
        "read, or a clear error",
        (FAULTS + "test_in_a_directory_that_may_not_be_written_to_a_run_ends_with_an_error_that_says_so",),
    ),
    Row(
        24,
        "Note that cannot be read, or vanishes",
        "chmod 000; removed amid the scan",
        "that file is failed or gone, the others go on, the exit code tells",
        (),
    ),
    Row(
        25,
        "Note that changes while it is read",
        "a writer that appends all the time",
        "the hash is of the bytes that were indexed; read again by the next run",
        (FAULTS + "test_notes_that_are_written_to_all_the_time_are_indexed_as_they_were_at_some_moment",),
    ),
    Row(26, "Atomic save of an editor", "os.replace in a loop", "one update, no duplicate", ()),
    Row(27, "Watcher that misses events", "10,000 touches; no inotify", "the periodic scan finds all", ()),
    Row(28, "Links: loops, and out of the folder", "symbolic links", "not followed, nothing outside is read", ()),
    Row(29, "Files that are no files", "named pipe, device, socket", "never opened, no hang", ()),
    Row(
        30,
        "Odd names",
        "newline, invalid UTF-8, 255 bytes, case clash, NFC and NFD",
        "indexed, the JSON stays valid",
        (),
    ),
    Row(
        31,
        "Many and odd sizes",
        "10,000 files, a million lines, empty, blank",
        "bounded memory, stated time, no chunk is no error",
        (),
    ),
    Row(
        32,
        "Encodings",
        "cp1252, UTF-16, Shift-JIS, BOM, NUL, mixed",
        "the text is right, or the file is failed with its reason",
        (),
    ),
    Row(33, "Control bytes in text", "0x00 to 0x1f", "no crash in counting tokens", ()),
    Row(34, "PDF that inflates to 500 MB", "Flate bomb", "limits hold, others go on", ()),
    Row(35, "PDF of 2 million operators", "generated", "ended by its time limit, others go on", ()),
    Row(36, "PDF of 5,000 pages", "generated", "read or ended by its time limit, can be cancelled", ()),
    Row(37, "PDF: encrypted, without text, cyclic, cut off, none", "fixtures", "its reason told, others go on", ()),
    Row(38, "Parser that crashes natively", "a child that aborts", "replaced, the file failed, others go on", ()),
    Row(39, "Malformed captions", "fixtures", "times never run backwards, or the file is failed", ()),
    Row(
        40,
        "Instructions inside notes",
        "20 patterns, control tokens among them",
        "no control token out of a note, no unknown citation, no foreign URL",
        (),
    ),
    Row(
        41, "Script in titles, paths, headings, quotes", "HTML and ANSI escapes", "escaped wherever they are shown", ()
    ),
    Row(42, "Paths in parameters", "../, %2e%2e, absolute, NUL, links", "404 or 422, nothing is read", ()),
    Row(43, "Wrong, missing or guessed key", "10,000 guesses", "401, compared in constant time, never logged", ()),
    Row(44, "Foreign Host and Origin, forms, text/plain", "headers", "400, 403, 415", ()),
    Row(
        45,
        "Bodies that are too large, endless, deep or odd",
        "100 MB, chunked, 10,000 levels, k of 1e9, NaN",
        "413 or 422 at once, memory flat",
        (),
    ),
    Row(46, "Slow clients", "slow headers; readers that stop", "dropped in time, others unaffected", ()),
    Row(47, "Client that goes away", "in queue, prompt and generation", "its place is free at once", ()),
    Row(48, "50 questions at once", "50 clients", "some served, the rest 503 with Retry-After; search stays fast", ()),
    Row(49, "Two threads in one model", "concurrent drafts", "one owner: they take turns", ()),
    Row(
        50,
        "The model's process dies",
        "kill -9",
        "search goes on, the answer comes without it, restarted with back-off",
        (),
    ),
    Row(51, "Clocks and times that lie", "times kept on edit, or in the future", "the content decides", ()),
    Row(
        52,
        "Remote store down",
        "kill, stop, delay",
        "503, no pile-up",
        not_applicable="the only store is a local one",
    ),
)
