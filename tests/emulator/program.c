/* Does what its first argument says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "arguments")) {
        for (int i = 0; i < argc; i++) puts(argv[i]);
    } else if (!strcmp(what, "variable")) {
        const char *value = getenv(argv[2]);
        puts(value ? value : "(none)");
    } else if (!strcmp(what, "cat")) {
        int c;
        while ((c = getchar()) != EOF) putchar(c);
    } else if (!strcmp(what, "write")) {
        FILE *file = fopen(argv[2], "w");
        if (!file) return 3;
        fputs("written", file);
        fclose(file);
    } else if (!strcmp(what, "trap")) {
        fputs("about to trap\n", stderr);
        __builtin_trap();
    } else if (!strcmp(what, "loop")) {
        puts("looping");
        fflush(stdout);
        for (;;) {
            volatile int x = 0;
            (void)x;
        }
    } else if (!strcmp(what, "allocate")) {
        size_t size = (size_t)atoi(argv[2]) << 20;
        char *volatile memory = malloc(size);
        if (!memory) return 4;
        memset(memory, 1, size);
    } else if (!strcmp(what, "streams")) {
        /* Whether standard input and standard error fail. */
        char byte;
        int in = read(0, &byte, 1) < 0, err = write(2, "!", 1) < 0;
        if (printf("%d %d\n", in, err) < 0 || fflush(stdout)) return 5;
    } else if (!strcmp(what, "nest")) {
        /* Folders in folders. */
        char path[4000] = "/process";
        for (size_t length = strlen(path); length + 3 < sizeof path; length += 2) {
            strcat(path + length, "/a");
            if (mkdir(path, 0777)) return 6;
        }
    } else if (!strcmp(what, "exit")) {
        return atoi(argv[2]);
    }
    return 0;
}
