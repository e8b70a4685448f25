/* One program with many commands, so that it is compiled once. What it prints does not depend on the host. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void report(const char *what, int failed) {
    printf("%s: %s\n", what, failed ? strerror(errno) : "ok");
}

static int arguments(int argc, char **argv) {
    for (int i = 0; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
    int count = 0;
    while (environ[count]) count++;
    qsort(environ, (size_t)count, sizeof *environ, compare);
    for (int i = 0; i < count; i++) printf("variable: %s\n", environ[i]);
    return argc;
}

static int lines(void) {
    char line[200];
    int count = 0;
    while (fgets(line, sizeof line, stdin)) printf("%d: %s", ++count, line);
    fprintf(stderr, "%d lines\n", count);
    return ferror(stdin) ? 1 : 0;
}

static int stdio(void) {
    FILE *file = fopen("/data/file.txt", "w+");
    if (!file) return perror("fopen"), 1;
    for (int i = 0; i < 1000; i++) fprintf(file, "line %04d\n", i);
    printf("at %ld\n", ftell(file));
    fseek(file, 5000, SEEK_SET);
    char line[20];
    fgets(line, sizeof line, file);
    printf("there: %s", line);
    ungetc('X', file);
    printf("pushed back: %c\n", fgetc(file));
    fseek(file, -10, SEEK_END);
    fgets(line, sizeof line, file);
    printf("last: %s", line);
    printf("end: %d\n", fgetc(file) == EOF && feof(file));
    fclose(file);
    file = fopen("/data/file.txt", "a");
    fputs("appended\n", file);
    fclose(file);
    file = freopen("/data/out.txt", "w", stdout);
    printf("into a file\n");
    return 0;
}

static int list(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return report("opendir", 1), 1;
    char *names[3000];
    size_t count = 0;
    struct dirent *entry;
    while (count < 3000 && (entry = readdir(folder))) {
        char *name = malloc(strlen(entry->d_name) + 3);
        sprintf(name, "%s %c", entry->d_name,
                entry->d_type == DT_DIR ? 'd' : entry->d_type == DT_LNK ? 'l' : entry->d_type == DT_REG ? 'f' : '?');
        names[count++] = name;
    }
    rewinddir(folder);
    size_t again = 0;
    while (readdir(folder)) again++;
    closedir(folder);
    qsort(names, count, sizeof *names, compare);
    for (size_t i = 0; i < count; i++) puts(names[i]);
    printf("%zu, and %zu again\n", count, again);
    return 0;
}

static int folders(void) {
    report("mkdir", mkdir("/data/d", 0777));
    report("mkdir again", mkdir("/data/d", 0777));
    report("mkdir deep", mkdir("/data/x/y", 0777));
    char path[40];
    for (int i = 0; i < 300; i++) {
        sprintf(path, "/data/d/a-rather-long-name-%d", i);
        int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0666);
        if (fd < 0) report("open", 1);
        close(fd);
    }
    list("/data/d");
    report("rmdir full", rmdir("/data/d"));
    for (int i = 0; i < 300; i++) {
        sprintf(path, "/data/d/a-rather-long-name-%d", i);
        if (unlink(path)) report("unlink", 1);
    }
    report("rmdir", rmdir("/data/d"));
    report("rmdir again", rmdir("/data/d"));
    report("opendir", opendir("/data/d") == NULL);
    return 0;
}

static int links(void) {
    struct stat found;
    FILE *file = fopen("/data/a", "w");
    fputs("text", file);
    fclose(file);
    mkdir("/data/d", 0777);
    report("symlink", symlink("../a", "/data/d/link"));
    report("symlink again", symlink("../a", "/data/d/link"));
    report("link", link("/data/a", "/data/b"));
    char target[20] = {0};
    printf("readlink: %zd\n", readlink("/data/d/link", target, sizeof target));
    printf("target: %s\n", target);
    report("readlink of a file", readlink("/data/a", target, sizeof target) < 0);
    report("stat", stat("/data/d/link", &found));
    printf("file %d, size %d, links %d\n", S_ISREG(found.st_mode), (int)found.st_size, (int)found.st_nlink);
    report("lstat", lstat("/data/d/link", &found));
    printf("link %d\n", S_ISLNK(found.st_mode));
    report("rename", rename("/data/b", "/data/d/c"));
    report("rename over a folder", rename("/data/a", "/data/d"));
    report("rename what is not there", rename("/data/x", "/data/y"));
    report("unlink a folder", unlink("/data/d"));
    report("rmdir a file", rmdir("/data/a"));
    symlink("loop", "/data/loop");
    report("open a loop", open("/data/loop", O_RDONLY) < 0);
    report("open a link itself", open("/data/d/link", O_RDONLY | O_NOFOLLOW) < 0);
    return 0;
}

static int descriptors(void) {
    char text[20] = {0};
    int fd = open("/data/a", O_RDWR | O_CREAT | O_TRUNC, 0666);
    printf("write %zd\n", write(fd, "hello world", 11));
    printf("pread %zd\n", pread(fd, text, 5, 6));
    printf("text %s\n", text);
    printf("pwrite %zd\n", pwrite(fd, "W", 1, 6));
    printf("seek %d\n", (int)lseek(fd, -5, SEEK_END));
    report("seek before the beginning", lseek(fd, -1, SEEK_SET) < 0);
    printf("read %zd\n", read(fd, text, sizeof text));
    report("truncate", ftruncate(fd, 5));
    struct timespec times[2] = {{1000, 5}, {2000, 7}};
    report("futimens", futimens(fd, times));
    struct stat found;
    fstat(fd, &found);
    printf("size %d, times %d.%d %d.%d\n", (int)found.st_size, (int)found.st_atim.tv_sec,
           (int)found.st_atim.tv_nsec, (int)found.st_mtim.tv_sec, (int)found.st_mtim.tv_nsec);
    report("fsync", fsync(fd));
    report("fdatasync", fdatasync(fd));
    int reading = open("/data/a", O_RDONLY);
    report("write to what is read", write(reading, "x", 1) < 0);
    int writing = open("/data/a", O_WRONLY | O_APPEND);
    report("read from what is written", read(writing, text, 1) < 0);
    write(writing, "!", 1);
    printf("flags %d\n", (fcntl(writing, F_GETFL) & O_APPEND) != 0);
    report("close", close(fd));
    report("close again", close(fd));
    report("open what is there", open("/data/a", O_CREAT | O_EXCL | O_WRONLY, 0666) < 0);
    report("open what is not there", open("/data/nothing", O_RDONLY) < 0);
    report("open a file as a folder", open("/data/a", O_RDONLY | O_DIRECTORY) < 0);
    report("open below a file", open("/data/a/b", O_RDONLY) < 0);
    report("open a folder to write", open("/data", O_WRONLY) < 0);
    report("leave", open("/data/../../etc/passwd", O_RDONLY) < 0);
    report("elsewhere", open("/etc/passwd", O_RDONLY) < 0);
    report("terminal", !isatty(1));
    return 0;
}

static int read_only(void) {
    char text[20] = {0};
    int fd = open("/read/a", O_RDONLY);
    printf("read %zd: %s\n", read(fd, text, sizeof text - 1), text);
    report("write", open("/read/a", O_WRONLY) < 0);
    report("create", open("/read/new", O_CREAT | O_WRONLY, 0666) < 0);
    report("mkdir", mkdir("/read/new", 0777));
    report("unlink", unlink("/read/a"));
    report("rename", rename("/read/a", "/read/b"));
    report("link", link("/read/a", "/data/b"));
    report("symlink", symlink("a", "/read/b"));
    return 0;
}

static int waiting(void) {
    struct timespec begin, now, nap = {0, 3000000};
    clock_gettime(CLOCK_MONOTONIC, &begin);
    report("nanosleep", nanosleep(&nap, NULL));
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long passed = (now.tv_sec - begin.tv_sec) * 1000000000LL + now.tv_nsec - begin.tv_nsec;
    printf("long enough: %d\n", passed >= 3000000);
    clock_gettime(CLOCK_REALTIME, &now);
    printf("this century: %d\n", now.tv_sec > 1700000000);
    struct pollfd polled = {.fd = 0, .events = POLLIN};
    printf("poll: %d\n", poll(&polled, 1, 10000));
    printf("readable: %d\n", (polled.revents & POLLIN) != 0);
    char text[20] = {0};
    printf("read %zd: %s\n", read(0, text, sizeof text - 1), text);
    unsigned char random[32] = {0};
    report("getentropy", getentropy(random, sizeof random));
    int sum = 0;
    for (size_t i = 0; i < sizeof random; i++) sum += random[i];
    printf("random: %d\n", sum > 0);
    return 0;
}

static int spend(const char *what) {
    if (!strcmp(what, "memory")) {
        int count = 0;
        static char *volatile got; /* else the compiler does without the memory */
        while (count < 5000 && (got = malloc(1 << 20))) memset(got, 1, 1 << 20), count++;
        printf("%d MiB\n", count);
    } else if (!strcmp(what, "files")) {
        int count = 0;
        while (count < 5000 && open("/data/a", O_CREAT | O_RDWR, 0666) >= 0) count++;
        printf("%d files: %s\n", count, strerror(errno));
    } else if (!strcmp(what, "output")) {
        char text[1000];
        memset(text, 'x', sizeof text);
        long total = 0;
        ssize_t count;
        while (total < 10000000 && (count = write(1, text, sizeof text)) > 0) total += count;
        fprintf(stderr, "%ld bytes: %s\n", total, strerror(errno));
    } else if (!strcmp(what, "disk")) {
        int fd = open("/data/big", O_CREAT | O_WRONLY, 0666);
        char text[1000] = {0};
        long total = 0;
        ssize_t count;
        while (total < 10000000 && (count = write(fd, text, sizeof text)) > 0) total += count;
        printf("%ld bytes: %s\n", total, strerror(errno));
    } else if (!strcmp(what, "time")) {
        for (volatile unsigned i = 0;; i++) {
        }
    } else if (!strcmp(what, "forever")) {
        sleep(1000000);
    }
    return 0;
}

__attribute__((noinline)) static void crash(void) {
    fprintf(stderr, "about to crash\n");
    __builtin_trap();
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    if (!strcmp(command, "arguments")) return arguments(argc, argv);
    if (!strcmp(command, "lines")) return lines();
    if (!strcmp(command, "stdio")) return stdio();
    if (!strcmp(command, "folders")) return folders();
    if (!strcmp(command, "links")) return links();
    if (!strcmp(command, "descriptors")) return descriptors();
    if (!strcmp(command, "read-only")) return read_only();
    if (!strcmp(command, "waiting")) return waiting();
    if (!strcmp(command, "spend")) return spend(argv[2]);
    if (!strcmp(command, "crash")) crash();
    if (!strcmp(command, "exit")) exit(atoi(argv[2]));
    fprintf(stderr, "unknown command\n");
    return 2;
}
