# SPDX-License-Identifier: Apache-2.0
"""What Debian's runc 1.1.5 and crun 1.8.1 answer otherwise than these tests expect of nook-oci, and why."""


def _all(runtime, why, *names):
    return {(runtime, name): why for name in names}


KNOWN = {
    **_all("runc", "takes an id that begins with a dash", "test_ids_that_can_not_be[-x]"),
    **_all("runc", "numbers of signals wrap", "test_signals_that_are_none[4294967305]"),
    **_all("runc", "knows no real-time signals by name", "test_real_time_signals[RTMIN+3]", "test_real_time_signals[SIGRTMIN+3]"),
    **_all("runc", "neither of two callers may win", "test_two_create_the_same_id"),
    **_all("runc", "numbers of users wrap", "test_users_that_can_not_be[4294967296]", "test_users_that_can_not_be[+5]"),
    **_all("runc", "Go raises the soft limit of descriptors", "test_it_has_the_rlimits", "test_its_rlimits"),
    **_all("runc", "exec ignores the umask of a process object", "test_its_umask"),
    **_all("runc", "Go has descriptors of its own there", "test_preserve_fds_of_what_is_not_open"),
    **_all("runc", "the terminal's size arrives a moment later", "test_run_in_the_callers_terminal"),

    **_all("crun", "a pid file is relative to the bundle", "test_a_pid_file_is_relative_to_the_callers_directory"),
    **_all("crun", "says it in other words", "test_start_of_a_stopped_one", "test_delete_of_a_stopped_one_is_all",
           "test_an_id_that_nobody_has", "test_exec_in_an_id_that_nobody_has", "test_the_error_is_on_stderr_too",
           "test_kill_of_a_stopped_one"),
    **_all("crun", "takes nearly any id", "test_ids_that_can_not_be"),
    **_all("crun", "signals are in capitals, and not looked at closely", "test_how_a_signal_is_said[term]",
           "test_how_a_signal_is_said[sigterm]", "test_signals_that_are_none"),
    **_all("crun", "a paused one does not die with v1 cgroups", "test_kill_of_a_paused_one"),
    **_all("crun", "pausing twice is no error", "test_pause_and_resume", "test_pause_of_one_that_does_not_run[created]"),
    **_all("crun", "has no --keep", "test_run_keep"),
    **_all("crun", "a race is an error", "test_delete_force_while_run_waits", "test_three_delete_the_same",
           "test_two_start_the_same", "test_two_create_the_same_id"),
    **_all("crun", "looks for the program later, says it otherwise", "test_programs_that_can_not_be"),
    **_all("crun", "ps of a stopped one is an error", "test_ps_of_a_stopped_one"),
    **_all("crun", "exec's own failures are 1", "test_in_a_stopped_container", "test_in_a_paused_container",
           "test_wrong_process_objects"),
    **_all("crun", "exec does not take the container's settings", "test_it_takes_the_containers_settings",
           "test_it_has_the_rlimits", "test_the_containers_oom_score_adj", "test_cwd_and_env"),
    **_all("crun", "numbers of users are read loosely", "test_users_that_can_not_be"),
    **_all("crun", "the terminal's size arrives a moment later", "test_run_in_the_callers_terminal"),
    **_all("crun", "what waits for start holds the caller's descriptors", "test_a_created_one_holds_nothing_of_the_callers"),
    **_all("crun", "LISTEN_FDS are not looked at closely", "test_listen_fds", "test_listen_fds_with_preserve_fds",
           "test_listen_fds_of_another_process"),
    **_all("crun", "with few descriptors it leaves its cgroup", "test_few_descriptors_allowed"),
    **_all("runc", "ids end at 2147483647", "test_user_and_groups"),
    **_all("runc", "a root file system is no link", "test_a_root_that_is_a_link"),
    **_all("runc", "is older than that", "test_domainname", "test_time_offsets", "test_personality"),
    **_all("runc", "needs maps beside a namespace that has them", "test_a_user_namespace_by_path"),
    **_all("runc", "needs a /proc", "test_the_least_config_there_is"),
    **_all("runc", "capabilities that can't be had are an error", "test_capabilities_that_we_have_not"),
    **_all("crun", "capabilities that can't be had are an error", "test_capabilities_that_we_have_not"),
    **_all("crun", "no HOME for a user that has no line", "test_home_comes_from_the_containers_passwd[4321-/]"),
    **_all("crun", "a namespace of times and one of pids don't go together", "test_time_offsets"),
    **_all("crun", "exec does not take the container's settings", "test_ids_inside_and_outside"),
    **_all("crun", "needs mounts", "test_the_least_config_there_is"),
    **_all("crun", "makes mount points with the sticky bit", "test_mode_of_the_roots_mountpoints"),
    **_all("runc", "panics", "test_texts_that_are_no_config[null]"),
}
