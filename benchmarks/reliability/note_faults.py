"""Faults of notes and their folder."""

from __future__ import annotations

from benchmarks.reliability.row import Row

__all__ = ["ROWS"]

FAULTS = "tests/stores/test_faults.py::"
TRUTH = "tests/test_folder_truth.py::"
BOMBS = "tests/reading/test_bombs.py::"
WATCHING = "tests/test_watching.py::"
OPENING = "tests/reading/test_opening.py::"
PDFS = "tests/reading/test_pdf.py::"
TOKENS = "tests/models/test_tokens.py::"
DECODING = "tests/reading/test_decoding.py::"
CAPTIONS = "tests/reading/test_transcript.py::"

ROWS = (
    Row(
        24,
        "Note that cannot be read, or vanishes",
        "chmod 000; removed amid the scan",
        "that file is failed or gone, the others go on, the exit code tells",
        (
            TRUTH + "test_files_and_folders_that_vanish_during_a_run_are_removed",
            TRUTH + "test_a_file_that_could_not_be_opened_is_tried_again_by_every_run",
            TRUTH + "test_a_note_that_may_not_be_read_fails_and_the_others_go_on",
        ),
    ),
    Row(
        25,
        "Note that changes while it is read",
        "a writer that appends all the time",
        "the hash is of the bytes that were indexed; read again by the next run",
        (
            FAULTS + "test_notes_that_are_written_to_all_the_time_are_indexed_as_they_were_at_some_moment",
            TRUTH + "test_files_that_are_saved_while_the_run_goes_on_end_up_as_they_are",
            TRUTH + "test_a_file_that_never_rests_is_read_again_by_the_next_run",
            TRUTH + "test_two_saves_within_a_tick_of_the_clock_are_told_apart",
        ),
    ),
    Row(
        26,
        "Atomic save of an editor",
        "os.replace in a loop",
        "one update, no duplicate",
        (
            TRUTH + "test_an_atomic_save_is_one_update_and_no_duplicate",
            "tests/service/test_following.py::test_a_note_is_found_within_two_seconds_of_its_saving_and_lost_with_its_deletion",
        ),
    ),
    Row(
        27,
        "Watcher that misses events",
        "a burst of 500 notes; no hints; nothing that can be watched",
        "the periodic scan finds all",
        (
            WATCHING + "test_without_any_hint_the_folder_is_looked_at_every_so_often",
            WATCHING + "test_where_nothing_can_be_watched_there_is_a_look_every_second_and_a_word_of_it",
            WATCHING + "test_a_burst_of_changes_is_few_looks",
        ),
    ),
    Row(
        28,
        "Links: loops, and out of the folder",
        "symbolic links",
        "not followed, nothing outside is read",
        (
            TRUTH + "test_links_and_special_files_are_not_read_and_nothing_hangs",
            TRUTH + "test_a_folder_exchanged_for_a_link_between_listing_and_opening_leads_nowhere",
            OPENING + "test_no_link_is_followed_in_any_part_of_the_path",
        ),
    ),
    Row(
        29,
        "Files that are no files",
        "named pipe, device, socket",
        "never opened, no hang",
        (
            TRUTH + "test_links_and_special_files_are_not_read_and_nothing_hangs",
            OPENING + "test_only_a_regular_file_is_opened_and_nothing_is_waited_for",
        ),
    ),
    Row(
        30,
        "Odd names",
        "newline, invalid UTF-8, 255 bytes, case clash, NFC and NFD",
        "indexed, the JSON stays valid",
        (
            TRUTH + "test_any_name_is_a_file_of_its_own_and_valid_json",
            TRUTH + "test_a_case_or_form_of_a_name_that_changes_is_a_move",
        ),
    ),
    Row(
        31,
        "Many and odd sizes",
        "10,000 files, a million lines, empty, blank",
        "bounded memory, stated time, no chunk is no error",
        (
            TRUTH + "test_a_scan_of_unchanged_notes_opens_no_file_of_them",
            TRUTH + "test_an_empty_file_and_one_of_white_space_are_no_errors",
            "ten-thousand-files",
            "million-lines",
        ),
    ),
    Row(
        32,
        "Encodings",
        "cp1252, UTF-16, Shift-JIS, BOM, NUL, mixed",
        "the text is right, or the file is failed with its reason",
        (
            BOMBS + "test_hostile_texts_are_read_or_refused_with_a_reason",
            DECODING + "test_unicode_is_read_with_or_without_its_mark",
            DECODING + "test_short_western_text_is_read_as_cp1252",
            DECODING + "test_text_of_elsewhere_is_guessed",
            DECODING + "test_a_western_byte_within_utf8_costs_only_itself",
            DECODING + "test_bytes_that_are_no_text_are_refused",
            "hostile-texts",
        ),
    ),
    Row(
        33,
        "Control bytes in text",
        "0x00 to 0x1f",
        "no crash in counting tokens",
        (
            BOMBS + "test_hostile_texts_are_read_or_refused_with_a_reason",
            TOKENS + "test_no_text_is_too_strange_to_count",
            TOKENS + "test_bytes_without_a_token_are_dropped",
            "hostile-texts",
        ),
    ),
    Row(
        34,
        "PDF that inflates to 500 MB",
        "Flate bomb",
        "limits hold, others go on",
        (
            BOMBS + "test_hostile_pdfs_cost_neither_the_process_nor_the_other_files",
            "hostile-pdfs",
        ),
    ),
    Row(
        35,
        "PDF of 2 million operators",
        "generated",
        "ended by its time limit, others go on",
        (
            BOMBS + "test_hostile_pdfs_cost_neither_the_process_nor_the_other_files",
            "hostile-pdfs",
        ),
    ),
    Row(
        36,
        "PDF of 5,000 pages",
        "generated",
        "read or ended by its time limit, can be cancelled",
        (
            BOMBS + "test_hostile_pdfs_cost_neither_the_process_nor_the_other_files",
            "tests/test_overload.py::test_sigterm_ends_a_server_that_reads_a_pdf_of_5000_pages",
            "tests/test_children.py::test_a_child_ends_with_a_parent_that_is_killed_and_does_not_keep_its_lock",
            "hostile-pdfs",
        ),
    ),
    Row(
        37,
        "PDF: encrypted, without text, cyclic, cut off, none",
        "fixtures",
        "its reason told, others go on",
        (
            BOMBS + "test_hostile_pdfs_cost_neither_the_process_nor_the_other_files",
            PDFS + "test_real_files_are_read_or_refused_as_their_traits_say",
            "hostile-pdfs",
        ),
    ),
    Row(
        38,
        "Parser that crashes natively",
        "a child that aborts",
        "replaced, the file failed, others go on",
        (
            PDFS + "test_a_parser_that_crashes_is_given_two_tries_and_other_files_go_on",
            PDFS + "test_a_parser_that_crashes_once_costs_nothing",
        ),
    ),
    Row(
        39,
        "Malformed captions",
        "fixtures",
        "times never run backwards, or the file is failed",
        (
            BOMBS + "test_hostile_texts_are_read_or_refused_with_a_reason",
            CAPTIONS + "test_any_caption_file_gives_a_document_or_a_load_error",
            "hostile-texts",
        ),
    ),
)
