"""What a server meets: attacks, crowds, a model that dies; and clocks that lie."""

from __future__ import annotations

from benchmarks.reliability.row import Row

__all__ = ["ROWS"]

TRUTH = "tests/test_folder_truth.py::"
DOORS = "tests/test_doors.py::"
GUARDS = "tests/service/test_guards.py::"
KEYS = "tests/service/test_keys.py::"
CONNECTIONS = "tests/service/test_connections.py::"
OVERLOAD = "tests/test_overload.py::"
STREAMING = "tests/test_streaming.py::"
ASKING = "tests/service/test_routes_asking.py::"
GENERATOR = "tests/models/test_generator_process.py::"
INJECTIONS = "tests/test_injections.py::"
BACK_OFF = "tests/models/test_back_off.py::"

ROWS = (
    Row(
        40,
        "Instructions inside notes",
        "20 patterns, control tokens among them",
        "no control token out of a note, no unknown citation, no foreign URL",
        (
            INJECTIONS + "test_a_hostile_note_changes_nothing",
            INJECTIONS + "test_twenty_patterns_are_tried",
            INJECTIONS + "test_a_hostile_question_is_text_too",
            INJECTIONS + "test_the_same_question_twice_gives_the_same_answer",
        ),
    ),
    Row(
        41,
        "Script in titles, paths, headings, quotes",
        "HTML and ANSI escapes",
        "escaped wherever they are shown",
        (
            DOORS + "test_no_file_name_steers_the_terminal_on_any_surface",
            DOORS + "test_no_error_nor_history_steers_the_terminal",
            "tests/service/test_chat.py::test_what_comes_in_the_smallest_pieces_is_as_inert",
            GUARDS + "test_streams_and_mistakes_are_marked_private_too",
        ),
    ),
    Row(
        42,
        "Paths in parameters",
        "../, %2e%2e, absolute, NUL, links",
        "404 or 422, nothing is read",
        (
            GUARDS + "test_paths_are_no_ids",
            GUARDS + "test_no_request_names_a_file_to_load",
            DOORS + "test_a_path_from_outside_stays_inside_the_root",
            DOORS + "test_an_index_that_names_files_outside_reads_none_and_links_to_none",
        ),
    ),
    Row(
        43,
        "Wrong, missing or guessed key",
        "keys of other lengths, revoked keys, a flood of guesses",
        "401, held back, never logged; the right key is answered meanwhile",
        (
            KEYS + "test_the_command_shows_a_key_once_and_keeps_its_hash",
            KEYS + "test_only_the_key_is_accepted_whatever_the_length_of_another",
            KEYS + "test_a_revoked_key_is_void_at_once_in_a_server_that_runs",
            KEYS + "test_a_key_file_that_others_may_have_written_is_refused",
            KEYS + "test_settings_of_a_server_hold_no_key_nor_does_what_its_children_inherit",
            KEYS + "test_wrong_keys_are_held_back_and_the_right_one_is_not",
            GUARDS + "test_with_a_key_only_probes_are_open",
            DOORS + "test_the_log_holds_neither_question_nor_note_nor_key",
        ),
    ),
    Row(
        44,
        "Foreign Host and Origin, forms, text/plain",
        "headers",
        "400, 403, 415",
        (
            GUARDS + "test_a_foreign_host_is_refused",
            GUARDS + "test_pages_of_others_reach_nothing_by_any_method",
            GUARDS + "test_a_foreign_origin_may_not_post",
            GUARDS + "test_what_is_not_json_is_refused",
            GUARDS + "test_a_form_without_a_body_is_no_json_either",
        ),
    ),
    Row(
        45,
        "Bodies that are too large, endless, deep or odd",
        "100 MB, chunked, 10,000 levels, k of 1e9, NaN",
        "413 or 422 at once, memory flat",
        (
            DOORS + "test_a_body_of_100_mb_is_refused_at_its_begin_and_takes_neither_time_nor_memory",
            GUARDS + "test_bodies_made_to_hurt_are_refused_for_a_second_of_work_and_in_few_words",
            GUARDS + "test_a_large_body_is_refused_whole_or_in_pieces",
            GUARDS + "test_chats_made_to_hurt_are_refused_for_a_second_of_work",
            CONNECTIONS + "test_heads_that_are_too_long_or_wrong_are_refused_as_problems",
            "tests/service/test_openapi.py::test_every_answer_is_one_that_the_document_tells_of",
        ),
    ),
    Row(
        46,
        "Slow clients",
        "slow headers; readers that stop",
        "dropped in time, others unaffected",
        (
            CONNECTIONS + "test_a_head_that_does_not_end_is_cut_off_also_where_it_trickles",
            CONNECTIONS + "test_a_body_that_trickles_is_refused",
            CONNECTIONS + "test_readers_that_stop_lose_their_answer_and_the_others_get_their_place",
            CONNECTIONS + "test_who_sends_on_after_a_refusal_is_cut_off",
            CONNECTIONS + "test_a_newcomer_gets_the_place_of_one_who_says_nothing",
            CONNECTIONS + "test_where_every_connection_is_busy_another_is_refused",
        ),
    ),
    Row(
        47,
        "Client that goes away",
        "in queue, prompt and generation",
        "its place is free at once",
        (
            STREAMING + "test_a_client_that_leaves_stops_the_model_within_100_ms",
            STREAMING + "test_a_client_that_leaves_the_queue_is_gone_within_100_ms",
            ASKING + "test_a_client_that_leaves_stops_the_model_and_frees_its_place",
            GENERATOR + "test_cancel_within_the_prompt",
        ),
    ),
    Row(
        48,
        "50 questions at once",
        "50 clients",
        "some served, the rest 503 with Retry-After; search stays fast",
        (
            OVERLOAD + "test_of_fifty_asks_at_once_some_are_answered_and_the_others_told_when_to_come_again",
            "many-at-once",
        ),
    ),
    Row(
        49,
        "Two threads in one model",
        "concurrent drafts",
        "one owner: they take turns",
        (GENERATOR + "test_the_process_drafts_one_at_a_time_whatever_it_is_sent",),
    ),
    Row(
        50,
        "The model's process dies",
        "kill -9",
        "search goes on, the answer comes without it, restarted with back-off",
        (
            OVERLOAD + "test_the_model_killed_the_notes_still_answer_and_it_comes_back",
            OVERLOAD + "test_the_model_stopped_a_deadline_still_holds_and_afterwards_it_goes_on",
            GENERATOR + "test_a_killed_child_is_started_again_before_anybody_asks",
            GENERATOR + "test_a_child_that_keeps_ending_is_started_after_ever_longer_pauses",
            BACK_OFF + "test_the_first_end_costs_nothing_and_each_that_follows_twice_as_long",
            BACK_OFF + "test_a_long_life_begins_anew",
        ),
    ),
    Row(
        51,
        "Clocks and times that lie",
        "times kept on edit, or in the future",
        "the content decides",
        (TRUTH + "test_a_time_that_is_kept_or_lies_ahead_hides_no_edit",),
    ),
    Row(
        52,
        "Remote store down",
        "kill, stop, delay",
        "503, no pile-up",
        not_applicable="the only store is a local one",
    ),
)
