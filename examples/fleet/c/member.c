/*
 * A member of the fleet in C: `member PORT MISSING PEER...`. It says who it is, looks for its peers and for an
 * address that nobody has, and has the first peer echo what it sends, while it echoes for another one.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ingen_sdk.h"
#include "member.h"

enum { TEXT_SIZE = 200, MESSAGE_SIZE = 8000, TRIES = 2000 };

static const uint64_t PATIENCE_US = 10000000;
static const struct timespec BETWEEN_TRIES = {.tv_sec = 0, .tv_nsec = 5000000};

static void tell(const char *check, const char *target, bool fine, const char *text) {
    member_string_t seen = member_string_view(text);
    member_result_string_string_t outcome =
        fine ? member_result_string_string_ok(seen) : member_result_string_string_err(seen);
    ingen_fleet_report_outcome(member_string_view(check), member_string_view(target), &outcome);
}

/* Put an error into words, and free it. */
static bool failed(ingen_error_t *error, char *text) {
    ingen_error_text(error, text, TEXT_SIZE);
    ingen_error_free(error);
    return false;
}

static bool name_of(const char *peer, ingen_address_t *address, char *text) {
    ingen_addresses_t found;
    ingen_error_t error;
    if (!ingen_lookup(peer, &found, &error)) return failed(&error, text);
    *address = found.ptr[0];
    ingen_addresses_free(&found);
    ingen_address_print(address, text);
    return true;
}

/* A ping that is answered. */
static bool answer_of(const ingen_address_t *target, char *text) {
    ingen_ping_reply_t reply;
    ingen_error_t error;
    if (!ingen_ping(target, NULL, &reply, &error)) return failed(&error, text);
    if (!ingen_ping_is_reply(&reply)) {
        snprintf(text, TEXT_SIZE, "ICMP type %d", reply.icmp_type);
        return false;
    }
    snprintf(text, TEXT_SIZE, "%" PRIu64 " us, TTL %d", reply.duration_us, reply.ttl);
    return true;
}

/* A ping that nobody answers. */
static bool silence_of(const char *missing, char *text) {
    ingen_address_t target;
    ingen_ping_reply_t reply;
    ingen_error_t error;
    if (!ingen_address_parse(missing, &target)) {
        snprintf(text, TEXT_SIZE, "not an address");
        return false;
    }
    if (ingen_ping(&target, NULL, &reply, &error)) {
        bool unreachable = ingen_ping_is_unreachable(&reply);
        snprintf(text, TEXT_SIZE, unreachable ? "unreachable" : "somebody answers");
        return unreachable;
    }
    failed(&error, text);
    if (!strcmp(text, "timed-out")) strcpy(text, "no answer");
    return !strcmp(text, "no answer") || !strcmp(text, "unreachable");
}

/* A connection, once the peer listens. */
static bool connect_to(const char *peer, uint16_t port, ingen_tcp_t *connection, ingen_error_t *error) {
    ingen_sdk_tcp_connect_options_t options = {0};
    options.timeout_us.is_some = true;
    options.timeout_us.val = PATIENCE_US;
    options.keep_alive = true;
    for (int i = 0; i < TRIES; i++) {
        if (ingen_tcp_connect_name(peer, port, &options, connection, error)) return true;
        if (strcmp(ingen_error_name(error), "refused") || i == TRIES - 1) return false;
        ingen_error_free(error);
        nanosleep(&BETWEEN_TRIES, NULL);
    }
    return false;
}

/* Echo all that one connection brings. */
static bool serve(ingen_listener_t listener, ingen_error_t *error) {
    static char heard[MESSAGE_SIZE];
    ingen_tcp_t incoming;
    size_t length;
    if (!ingen_accept(listener, &incoming, error)) return false;
    bool served = ingen_tcp_read_all(incoming, heard, sizeof heard, &length, error) &&
                  ingen_tcp_write_all(incoming, heard, length, error);
    ingen_tcp_close(incoming);
    return served;
}

/* Send a greeting to the peer, echo what another one sends, and see the greeting come back. */
static bool echo(ingen_listener_t listener, const char *name, const char *peer, uint16_t port, char *text) {
    static char greeting[MESSAGE_SIZE], back[MESSAGE_SIZE];
    ingen_tcp_t outgoing;
    ingen_error_t error;
    size_t length = 0, returned = 0;
    for (int i = 0; i < 100 && length + TEXT_SIZE < sizeof greeting; i++)
        length += (size_t)snprintf(greeting + length, TEXT_SIZE, "%.60s greets %.60s. ", name, peer);

    if (!connect_to(peer, port, &outgoing, &error)) return failed(&error, text);
    uint8_t ttl = 0;
    bool no_delay = false, keep_alive = false;
    ingen_sdk_tcp_borrow_connection_t options = ingen_sdk_tcp_own_connection_borrow(outgoing);
    bool fine = ingen_sdk_tcp_connection_set_no_delay(options, true, &error) &&
                ingen_sdk_tcp_connection_set_ttl(options, 32, &error) &&
                ingen_tcp_write_all(outgoing, greeting, length, &error) && ingen_tcp_finish(outgoing, &error) &&
                serve(listener, &error) &&
                ingen_tcp_read_all(outgoing, back, sizeof back, &returned, &error) &&
                ingen_sdk_tcp_connection_ttl(options, &ttl, &error) &&
                ingen_sdk_tcp_connection_no_delay(options, &no_delay, &error) &&
                ingen_sdk_tcp_connection_keep_alive(options, &keep_alive, &error);
    ingen_tcp_close(outgoing);
    if (!fine) return failed(&error, text);
    if (returned != length || memcmp(greeting, back, length)) {
        snprintf(text, TEXT_SIZE, "%zu bytes came back changed", returned);
        return false;
    }
    snprintf(
        text, TEXT_SIZE, "%zu bytes, no-delay %s, keep-alive %s, TTL %d", returned, no_delay ? "true" : "false",
        keep_alive ? "true" : "false", ttl
    );
    return true;
}

int main(int argc, char **argv) {
    char text[TEXT_SIZE], address[INGEN_ADDRESS_SIZE] = "";
    ingen_env_t env;
    ingen_error_t error;
    if (argc < 3) {
        fputs("usage: member PORT MISSING PEER...\n", stderr);
        return 2;
    }
    if (!ingen_env_get(&env, &error)) {
        failed(&error, text);
        fprintf(stderr, "who am I? %s\n", text);
        return 1;
    }
    if (env.has_ipv4) ingen_address_print(&env.ipv4, address);
    printf("%s (%s) in %s, in C\n", env.vm_name, address, env.region);
    snprintf(text, TEXT_SIZE, "%s, %s in %s", address, env.role, env.region);
    tell("who am I", env.vm_name, true, text);

    uint16_t port = (uint16_t)atoi(argv[1]);
    ingen_endpoint_t local = {.port = port};
    ingen_address_parse("0.0.0.0", &local.address);
    ingen_listener_t listener;
    if (!ingen_listen(&local, NULL, &listener, &error)) {
        failed(&error, text);
        fprintf(stderr, "cannot listen at port %s: %s\n", argv[1], text);
        return 1;
    }
    ingen_listener_set_timeout(listener, PATIENCE_US, NULL);
    for (int i = 3; i < argc; i++) {
        ingen_address_t found;
        bool known = name_of(argv[i], &found, text);
        tell("name", argv[i], known, text);
        bool answered = known && answer_of(&found, text);
        tell("ping", argv[i], answered, text);
    }
    bool silent = silence_of(argv[2], text);
    tell("nobody", argv[2], silent, text);
    if (argc > 3) {
        bool echoed = echo(listener, env.vm_name, argv[3], port, text);
        tell("echo", argv[3], echoed, text);
    }
    ingen_listener_close(listener);
    ingen_env_free(&env);
    return 0;
}
