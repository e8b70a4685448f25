/*
 * Waits for the end of standard input, then pings each address that its arguments tell; the exit status is how
 * many have not answered.
 */
#include <stdio.h>

#include "ingen_sdk.h"

int main(int argc, char **argv) {
    int lost = 0;
    while (getchar() != EOF) continue;
    for (int i = 1; i < argc; i++) {
        ingen_address_t target;
        ingen_ping_reply_t reply;
        if (!ingen_address_parse(argv[i], &target) || !ingen_ping(&target, NULL, &reply, NULL) ||
            !ingen_ping_is_reply(&reply))
            lost++;
    }
    return lost;
}
