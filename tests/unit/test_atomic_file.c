/*
 * Whole or not there, also when a signal ends the program in between: without a race, as the signal
 * is raised at the very place.
 */
#include "support.h"

#include "atomic_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[4096];

static int make_folder(void **state)
{
    const char *parent = getenv("TMPDIR");

    (void)state;
    snprintf(folder, sizeof(folder), "%s/bootimage-unit-XXXXXX", parent ? parent : "/tmp");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink("target");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static size_t count_files(void)
{
    DIR *directory = opendir(".");
    size_t count = 0;

    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}

static void put_old(void)
{
    int fd = open("target", O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "old", 3), 3);
    close(fd);
}

static void assert_content(const char *expected)
{
    char found[16] = "";
    int fd = open("target", O_RDONLY);

    assert_true(fd >= 0);
    assert_true(read(fd, found, sizeof(found) - 1) >= 0);
    close(fd);
    assert_string_equal(found, expected);
}

static void appears_with_the_commit(void **state)
{
    struct error error = {0};
    struct atomic_file file;

    (void)state;
    put_old();
    assert_true(atomic_file_open(&file, "target", NULL, 0, &error));
    assert_int_equal(write(file.fd, "new", 3), 3);
    assert_content("old");
    assert_int_equal(count_files(), 2);
    assert_true(atomic_file_commit(&file, &error));
    assert_content("new");
    assert_int_equal(count_files(), 1);
}

static void goes_when_abandoned(void **state)
{
    struct error error = {0};
    struct atomic_file file;

    (void)state;
    put_old();
    assert_true(atomic_file_open(&file, "target", NULL, 0, &error));
    assert_int_equal(write(file.fd, "new", 3), 3);
    atomic_file_abandon(&file);
    assert_content("old");
    assert_int_equal(count_files(), 1);
}

/* The name is taken by a folder while the file is written. */
static void failed_commit_leaves_nothing(void **state)
{
    struct error error = {0};
    struct atomic_file file;

    (void)state;
    unlink("target");
    assert_true(atomic_file_open(&file, "target", NULL, 0, &error));
    assert_int_equal(mkdir("target", 0755), 0);
    assert_false(atomic_file_commit(&file, &error));
    support_assert_error(&error,
                         "target: cannot rename to it: Is a directory; choose another place "
                         "with -o [output-rename]");
    assert_int_equal(count_files(), 1);
    assert_int_equal(rmdir("target"), 0);
}

/* In a child, as it ends by the signal. Returns its wait status. */
static int raise_while_writing(int number, bool ignored)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        struct error error = {0};
        struct atomic_file file;

        setrlimit(RLIMIT_CORE, &no_core);
        signal(number, ignored ? SIG_IGN : SIG_DFL);
        if (!atomic_file_open(&file, "target", NULL, 0, &error) || count_files() != 2)
            _exit(1);
        raise(number);
        _exit(ignored && atomic_file_commit(&file, &error) ? 0 : 2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void signals_leave_nothing(void **state)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};

    (void)state;
    put_old();
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        int status = raise_while_writing(numbers[i], false);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i]);
        assert_content("old");
        assert_int_equal(count_files(), 1);
    }
}

static void ignored_signals_stay_ignored(void **state)
{
    (void)state;
    put_old();
    assert_int_equal(raise_while_writing(SIGHUP, true), 0);
    assert_content("");
    assert_int_equal(count_files(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appears_with_the_commit),      cmocka_unit_test(goes_when_abandoned),
        cmocka_unit_test(failed_commit_leaves_nothing), cmocka_unit_test(signals_leave_nothing),
        cmocka_unit_test(ignored_signals_stay_ignored),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
