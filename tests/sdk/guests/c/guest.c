/* The scenarios in C. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingen_sdk.h"
#include "scenarios.h"

enum { SHORT_US = 20 * 1000, LONG_US = 10 * 1000 * 1000, MAX_ARGUMENTS = 8, BUFFER_SIZE = 65536 };

/* A step that has to succeed; otherwise the scenario fails with its error. */
#define TRY(step) \
    do { \
        if (!(step)) { \
            return false; \
        } \
    } while (false)

/* ---- Arguments and results ---- */

static char result[2048];
static size_t result_length;
static unsigned char buffer[BUFFER_SIZE];

__attribute__((__format__(__printf__, 1, 2)))
static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(result + result_length, sizeof result - result_length, format, arguments);
    va_end(arguments);
    result_length += (size_t)length;
}

static void say_address(const ingen_address_t *address) {
    char text[INGEN_ADDRESS_SIZE];
    ingen_address_print(address, text);
    say("%s", text);
}

static void say_endpoint(const ingen_endpoint_t *endpoint) {
    char text[INGEN_ENDPOINT_SIZE];
    ingen_endpoint_print(endpoint, text);
    say("%s", text);
}

/* What a call has failed with; frees it. */
static void say_failure(bool succeeded, ingen_error_t *error) {
    if (succeeded) {
        say("success");
        return;
    }
    char text[256];
    ingen_error_text(error, text, sizeof text);
    say("%s", text);
    ingen_error_free(error);
}

static ingen_address_t address(const char *text) {
    ingen_address_t found;
    if (!ingen_address_parse(text, &found)) {
        abort();
    }
    return found;
}

static ingen_endpoint_t endpoint(const char *text) {
    ingen_endpoint_t found;
    if (!ingen_endpoint_parse(text, &found)) {
        abort();
    }
    return found;
}

static unsigned number(const char *text) {
    return (unsigned)strtoul(text, NULL, 10);
}

static const char *truth(bool value) {
    return value ? "true" : "false";
}

static void report_listening(const ingen_endpoint_t *local) {
    char text[16 + INGEN_ENDPOINT_SIZE] = "listening ";
    ingen_endpoint_print(local, text + strlen(text));
    scenarios_report(scenarios_string_view(text));
}

static bool listening(const char *local, ingen_listener_t *listener, ingen_error_t *err) {
    ingen_endpoint_t here = endpoint(local);
    TRY(ingen_listen(&here, NULL, listener, err));
    TRY(ingen_listener_local(*listener, &here, err));
    report_listening(&here);
    return true;
}

static bool connected(const char *remote, ingen_tcp_t *connection, ingen_error_t *err) {
    ingen_endpoint_t there = endpoint(remote);
    return ingen_tcp_connect(&there, NULL, connection, err);
}

/* A server that takes one connection. */
static bool accepted(const char *local, ingen_tcp_t *connection, ingen_error_t *err) {
    ingen_listener_t listener;
    TRY(listening(local, &listener, err));
    TRY(ingen_accept(listener, connection, err));
    ingen_listener_close(listener);
    return true;
}

/* ---- Addresses, environment, ICMP, DNS ---- */

static bool run_address(char **arguments, ingen_error_t *err) {
    ingen_address_t found;
    (void)err;
    if (ingen_address_parse(arguments[0], &found)) {
        say_address(&found);
    } else {
        say("no address");
    }
    return true;
}

static bool run_endpoint(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t found;
    (void)err;
    if (ingen_endpoint_parse(arguments[0], &found)) {
        say_endpoint(&found);
    } else {
        say("no endpoint");
    }
    return true;
}

static void say_texts(char **texts) {
    for (size_t i = 0; texts[i] != NULL; i++) {
        say("%s%s", i > 0 ? "," : "", texts[i]);
    }
}

static bool run_env(char **arguments, ingen_error_t *err) {
    ingen_env_t env;
    (void)arguments;
    TRY(ingen_env_get(&env, err));
    say("folders=");
    say_texts(env.vm_data_folders);
    say(" process=");
    say_texts(env.process_data_folders);
    say(" region=%s dc=%s cluster=%s host=%s", env.region, env.data_center, env.cluster, env.host);
    say(" name=%s owner=%s role=%s ipv4=", env.vm_name, env.owner, env.role);
    if (env.has_ipv4) {
        say_address(&env.ipv4);
    } else {
        say("-");
    }
    say(" ipv6=");
    if (env.has_ipv6) {
        say_address(&env.ipv6);
    } else {
        say("-");
    }
    ingen_env_free(&env);
    return true;
}

static void set_ping_option(ingen_ping_options_t *options, const char *option) {
    const char *value = strchr(option, '=') + 1;
    if (strncmp(option, "source=", 7) == 0) {
        options->source = ingen_sdk_option_types_ip_address_some(address(value));
    } else if (strncmp(option, "identifier=", 11) == 0) {
        options->identifier = ingen_sdk_option_u16_some((uint16_t)number(value));
    } else if (strncmp(option, "sequence=", 9) == 0) {
        options->sequence = ingen_sdk_option_u16_some((uint16_t)number(value));
    } else if (strncmp(option, "ttl=", 4) == 0) {
        options->ttl = ingen_sdk_option_u8_some((uint8_t)number(value));
    } else if (strncmp(option, "size=", 5) == 0) {
        options->size = ingen_sdk_option_u16_some((uint16_t)number(value));
    } else if (strncmp(option, "timeout-ms=", 11) == 0) {
        options->timeout_us = ingen_sdk_option_u64_some((uint64_t)number(value) * 1000);
    } else {
        abort();
    }
}

static bool run_ping(char **arguments, ingen_error_t *err) {
    ingen_address_t target = address(arguments[0]);
    ingen_ping_options_t options = {0};
    ingen_ping_reply_t reply;
    for (size_t i = 1; arguments[i] != NULL; i++) {
        set_ping_option(&options, arguments[i]);
    }
    TRY(ingen_ping(&target, &options, &reply, err));
    say("%s from ", ingen_ping_is_reply(&reply)           ? "echo reply"
                    : ingen_ping_is_unreachable(&reply)   ? "unreachable"
                    : ingen_ping_is_time_exceeded(&reply) ? "time exceeded"
                                                          : "something else");
    say_address(&reply.source);
    say(" to ");
    say_address(&reply.destination);
    say(" type=%u code=%u identifier=%u sequence=%u ttl=%u size=%u in-time=%s", reply.icmp_type, reply.icmp_code,
        reply.identifier, reply.sequence, reply.ttl, (unsigned)reply.packet_size,
        truth(reply.duration_us < 1000000));
    return true;
}

static bool run_ping_many(char **arguments, ingen_error_t *err) {
    ingen_address_t target = address(arguments[0]);
    unsigned count = number(arguments[1]), answers = 0;
    for (unsigned i = 0; i < count; i++) {
        ingen_ping_reply_t reply;
        TRY(ingen_ping(&target, NULL, &reply, err));
        answers += ingen_ping_is_reply(&reply);
    }
    say("%u answers", answers);
    return true;
}

static bool run_lookup(char **arguments, ingen_error_t *err) {
    ingen_addresses_t addresses;
    TRY(ingen_lookup(arguments[0], &addresses, err));
    for (size_t i = 0; i < addresses.len; i++) {
        if (i > 0) {
            say(",");
        }
        say_address(&addresses.ptr[i]);
    }
    ingen_addresses_free(&addresses);
    return true;
}

/* ---- TCP ---- */

static bool run_connect(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t there = endpoint(arguments[0]);
    ingen_sdk_tcp_connect_options_t options = {0};
    ingen_tcp_t connection;
    if (arguments[1] != NULL) {
        options.timeout_us = ingen_sdk_option_u64_some((uint64_t)number(arguments[1]) * 1000);
    }
    TRY(ingen_tcp_connect(&there, &options, &connection, err));
    TRY(ingen_tcp_peer(connection, &there, err));
    ingen_tcp_close(connection);
    say("connected to ");
    say_endpoint(&there);
    return true;
}

static bool run_connect_name(char **arguments, ingen_error_t *err) {
    ingen_tcp_t connection;
    TRY(ingen_tcp_connect_name(arguments[0], (uint16_t)number(arguments[1]), NULL, &connection, err));
    ingen_tcp_close(connection);
    say("connected");
    return true;
}

static bool run_connect_from(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t there = endpoint(arguments[1]);
    ingen_sdk_tcp_connect_options_t options = {0};
    ingen_tcp_t connection;
    options.local = ingen_sdk_option_types_endpoint_some(endpoint(arguments[0]));
    options.reuse_address = true;
    TRY(ingen_tcp_connect(&there, &options, &connection, err));
    TRY(ingen_tcp_local(connection, &there, err));
    ingen_tcp_close(connection);
    say("connected from ");
    say_address(&there.address);
    return true;
}

static bool run_listen(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t here = endpoint(arguments[0]);
    ingen_listener_t listener;
    TRY(ingen_listen(&here, NULL, &listener, err));
    TRY(ingen_listener_local(listener, &here, err));
    ingen_listener_close(listener);
    say("listening ");
    say_address(&here.address);
    return true;
}

static bool run_listen_twice(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t here = endpoint(arguments[0]);
    ingen_sdk_tcp_bind_options_t options = {0};
    ingen_listener_t first, second;
    TRY(ingen_listen(&here, NULL, &first, err));
    TRY(ingen_listener_local(first, &here, err));
    say_failure(ingen_listen(&here, NULL, &second, err), err);
    ingen_listener_close(first);
    options.backlog = ingen_sdk_option_u32_some(1);
    options.reuse_address = true;
    say(", then ");
    say_failure(ingen_listen(&here, &options, &second, err), err);
    return true;
}

/* Sends what comes back, for some connections, one after the other. */
static bool run_echo_server(char **arguments, ingen_error_t *err) {
    unsigned count = number(arguments[1]);
    size_t total = 0;
    ingen_listener_t listener;
    TRY(listening(arguments[0], &listener, err));
    for (unsigned i = 0; i < count; i++) {
        ingen_tcp_t connection;
        size_t length;
        TRY(ingen_accept(listener, &connection, err));
        do {
            TRY(ingen_tcp_read(connection, buffer, sizeof buffer, &length, err));
            TRY(ingen_tcp_write_all(connection, buffer, length, err));
            total += length;
        } while (length > 0);
        ingen_tcp_close(connection);
    }
    ingen_listener_close(listener);
    say("%zu bytes", total);
    return true;
}

static bool run_echo_client(char **arguments, ingen_error_t *err) {
    enum { CHUNK = 16384 };
    ingen_endpoint_t there = endpoint(arguments[0]);
    size_t size = number(arguments[1]), received = 0, length;
    ingen_sdk_tcp_connect_options_t options = {0};
    ingen_tcp_t connection;
    bool before, after, no_delay, same = true;
    uint8_t ttl;
    options.timeout_us = ingen_sdk_option_u64_some(LONG_US);
    options.keep_alive = true;
    options.receive_buffer = ingen_sdk_option_u32_some(65536);
    options.send_buffer = ingen_sdk_option_u32_some(65536);
    TRY(ingen_tcp_connect(&there, &options, &connection, err));
    ingen_sdk_tcp_borrow_connection_t lent = ingen_sdk_tcp_own_connection_borrow(connection);
    TRY(ingen_sdk_tcp_connection_keep_alive(lent, &before, err));
    TRY(ingen_sdk_tcp_connection_set_keep_alive(lent, false, err));
    TRY(ingen_sdk_tcp_connection_set_no_delay(lent, true, err));
    TRY(ingen_sdk_tcp_connection_set_ttl(lent, 42, err));
    TRY(ingen_tcp_set_timeout(connection, LONG_US, err));
    TRY(ingen_tcp_peer(connection, &there, err));
    while (received < size) {
        size_t chunk = size - received < CHUNK ? size - received : CHUNK;
        for (size_t i = 0; i < chunk; i++) {
            buffer[i] = (unsigned char)((received + i) % 251);
        }
        TRY(ingen_tcp_write_all(connection, buffer, chunk, err));
        TRY(ingen_tcp_read_all(connection, buffer + CHUNK, chunk, &length, err));
        same = same && length == chunk && memcmp(buffer, buffer + CHUNK, chunk) == 0;
        received += length;
    }
    TRY(ingen_tcp_finish(connection, err));
    TRY(ingen_tcp_read_all(connection, buffer, sizeof buffer, &length, err));
    TRY(ingen_sdk_tcp_connection_keep_alive(lent, &after, err));
    TRY(ingen_sdk_tcp_connection_no_delay(lent, &no_delay, err));
    TRY(ingen_sdk_tcp_connection_ttl(lent, &ttl, err));
    say("%zu bytes, same=%s keep-alive=%s,%s no-delay=%s ttl=%u peer=", received + length, truth(same),
        truth(before), truth(after), truth(no_delay), ttl);
    say_endpoint(&there);
    ingen_tcp_close(connection);
    return true;
}

/* Answers once the client has said all that it has to say. */
static bool run_answer_server(char **arguments, ingen_error_t *err) {
    ingen_tcp_t connection;
    size_t length;
    TRY(accepted(arguments[0], &connection, err));
    TRY(ingen_tcp_read_all(connection, buffer, sizeof buffer, &length, err));
    TRY(ingen_tcp_write_all(connection, "answer to ", 10, err));
    TRY(ingen_tcp_write_all(connection, buffer, length, err));
    ingen_tcp_close(connection);
    say("%.*s", (int)length, (char *)buffer);
    return true;
}

static bool run_answer_client(char **arguments, ingen_error_t *err) {
    ingen_tcp_t connection;
    ingen_error_t error;
    size_t length, written;
    TRY(connected(arguments[0], &connection, err));
    TRY(ingen_tcp_write_all(connection, "question", 8, err));
    TRY(ingen_tcp_finish(connection, err));
    bool more = ingen_tcp_write(connection, "more", 4, &written, &error);
    TRY(ingen_tcp_read_all(connection, buffer, sizeof buffer, &length, err));
    ingen_tcp_close(connection);
    say("%.*s, ", (int)length, (char *)buffer);
    say_failure(more, &error);
    return true;
}

/* Writes when it is told to: after a byte has come. */
static bool run_late_server(char **arguments, ingen_error_t *err) {
    ingen_tcp_t connection;
    size_t length;
    TRY(accepted(arguments[0], &connection, err));
    TRY(ingen_tcp_read_all(connection, buffer, 1, &length, err));
    TRY(ingen_tcp_write_all(connection, "late", 4, err));
    TRY(ingen_tcp_read_all(connection, buffer, sizeof buffer, &length, err));
    ingen_tcp_close(connection);
    say("done");
    return true;
}

static bool run_late_client(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t there = endpoint(arguments[0]);
    ingen_sdk_tcp_connect_options_t options = {0};
    ingen_tcp_t connection;
    size_t length;
    options.non_blocking = true;
    TRY(ingen_tcp_connect(&there, &options, &connection, err));
    say_failure(ingen_tcp_read(connection, buffer, 16, &length, err), err);
    TRY(ingen_tcp_set_non_blocking(connection, false, err));
    TRY(ingen_tcp_write_all(connection, "!", 1, err));
    TRY(ingen_tcp_read_all(connection, buffer, 4, &length, err));
    ingen_tcp_close(connection);
    say(", then %.*s", (int)length, (char *)buffer);
    return true;
}

static bool run_accept_would_block(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t here = endpoint(arguments[0]);
    ingen_sdk_tcp_bind_options_t options = {0};
    ingen_listener_t listener;
    ingen_tcp_t connection;
    options.non_blocking = true;
    TRY(ingen_listen(&here, &options, &listener, err));
    say_failure(ingen_accept(listener, &connection, err), err);
    TRY(ingen_listener_set_non_blocking(listener, false, err));
    TRY(ingen_listener_set_timeout(listener, SHORT_US, err));
    say(", then ");
    say_failure(ingen_accept(listener, &connection, err), err);
    ingen_listener_close(listener);
    return true;
}

static bool run_accept_timeout(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t here = endpoint(arguments[0]);
    ingen_listener_t listener;
    ingen_tcp_t connection;
    TRY(ingen_listen(&here, NULL, &listener, err));
    TRY(ingen_listener_set_timeout(listener, SHORT_US, err));
    TRY(ingen_accept(listener, &connection, err));
    say("accepted");
    return true;
}

/* Says and reads nothing until the client has gone. */
static bool run_silent_server(char **arguments, ingen_error_t *err) {
    ingen_listener_t listener;
    ingen_tcp_t first, second;
    TRY(listening(arguments[0], &listener, err));
    TRY(ingen_accept(listener, &first, err));
    TRY(ingen_accept(listener, &second, err));
    ingen_tcp_close(first);
    ingen_tcp_close(second);
    ingen_listener_close(listener);
    say("done");
    return true;
}

static bool run_read_timeout(char **arguments, ingen_error_t *err) {
    ingen_tcp_t first, second;
    size_t length;
    TRY(connected(arguments[0], &first, err));
    TRY(ingen_tcp_set_timeout(first, SHORT_US, err));
    say_failure(ingen_tcp_read(first, buffer, 16, &length, err), err);
    TRY(connected(arguments[0], &second, err));
    ingen_tcp_close(second);
    ingen_tcp_close(first);
    return true;
}

static bool run_write_would_block(char **arguments, ingen_error_t *err) {
    ingen_tcp_t first, second;
    size_t taken = 0, length;
    bool written;
    TRY(connected(arguments[0], &first, err));
    TRY(ingen_tcp_set_non_blocking(first, true, err));
    while ((written = ingen_tcp_write(first, buffer, sizeof buffer, &length, err))) {
        taken += length;
    }
    say_failure(written, err);
    TRY(ingen_tcp_set_non_blocking(first, false, err));
    TRY(ingen_tcp_set_timeout(first, SHORT_US, err));
    /* There may be room for some of it by now, so the timeout may come with a later call. */
    do {
        written = ingen_tcp_write_all(first, buffer, sizeof buffer, err);
    } while (written);
    say(", then ");
    say_failure(written, err);
    TRY(connected(arguments[0], &second, err));
    ingen_tcp_close(second);
    ingen_tcp_close(first);
    say(", some=%s", truth(taken > 0));
    return true;
}

/* Goes while something is unread, which resets the connection. */
static bool run_reset_server(char **arguments, ingen_error_t *err) {
    ingen_tcp_t connection;
    size_t length;
    TRY(accepted(arguments[0], &connection, err));
    TRY(ingen_tcp_read_all(connection, buffer, 1, &length, err));
    ingen_tcp_close(connection);
    say("gone");
    return true;
}

static bool run_reset_client(char **arguments, ingen_error_t *err) {
    ingen_tcp_t connection;
    size_t length;
    TRY(connected(arguments[0], &connection, err));
    TRY(ingen_tcp_write_all(connection, buffer, 4096, err));
    TRY(ingen_tcp_read(connection, buffer, 16, &length, err));
    say("not reset, but %zu bytes", length);
    return true;
}

/* A connection that cannot be made says so when it is used. */
static bool run_refused_later(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t there = endpoint(arguments[0]);
    ingen_sdk_tcp_connect_options_t options = {0};
    ingen_tcp_t connection;
    size_t length;
    options.non_blocking = true;
    TRY(ingen_tcp_connect(&there, &options, &connection, err));
    TRY(ingen_tcp_set_non_blocking(connection, false, err));
    say_failure(ingen_tcp_read(connection, buffer, 16, &length, err), err);
    say(", ");
    say_failure(ingen_tcp_write(connection, "x", 1, &length, err), err);
    ingen_tcp_close(connection);
    return true;
}

/* ---- UDP ---- */

static bool bound(const char *local, ingen_udp_t *socket, ingen_error_t *err) {
    ingen_endpoint_t here = endpoint(local);
    return ingen_udp_bind(&here, NULL, socket, err);
}

/* Sends datagrams back until an empty one has come. */
static bool run_udp_server(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t where;
    ingen_udp_t socket;
    size_t length;
    unsigned count = 0;
    TRY(bound(arguments[0], &socket, err));
    TRY(ingen_udp_local(socket, &where, err));
    report_listening(&where);
    for (;;) {
        TRY(ingen_udp_receive(socket, buffer, sizeof buffer, &where, &length, err));
        if (length == 0) {
            break;
        }
        TRY(ingen_udp_send(socket, buffer, length, &where, err));
        count++;
    }
    ingen_udp_close(socket);
    say("%u datagrams", count);
    return true;
}

static bool run_udp_client(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t there = endpoint(arguments[1]), from, peer;
    ingen_udp_t socket;
    ingen_error_t error;
    size_t length;
    uint8_t ttl;
    TRY(bound(arguments[0], &socket, err));
    ingen_sdk_udp_borrow_socket_t lent = ingen_sdk_udp_own_socket_borrow(socket);
    TRY(ingen_udp_set_timeout(socket, LONG_US, err));
    TRY(ingen_sdk_udp_socket_set_ttl(lent, 33, err));
    TRY(ingen_udp_send(socket, "first", 5, &there, err));
    TRY(ingen_udp_receive(socket, buffer, sizeof buffer, &from, &length, err));
    say("%.*s ", (int)length, (char *)buffer);
    bool sent = ingen_udp_send(socket, "nobody", 6, NULL, &error);
    TRY(ingen_udp_connect(socket, &there, err));
    TRY(ingen_udp_send(socket, "second", 6, NULL, err));
    TRY(ingen_udp_receive(socket, buffer, 3, NULL, &length, err));
    say("%.*s", (int)length, (char *)buffer);
    TRY(ingen_sdk_udp_socket_peer_address(lent, &peer, err));
    TRY(ingen_udp_connect(socket, NULL, err));
    TRY(ingen_udp_send(socket, NULL, 0, &there, err));
    TRY(ingen_sdk_udp_socket_ttl(lent, &ttl, err));
    ingen_udp_close(socket);
    bool same = ingen_endpoint_equal(&from, &there) && ingen_endpoint_equal(&peer, &there);
    say(" ttl=%u same=%s without-peer=%s", ttl, truth(same), sent ? "success" : ingen_error_name(&error));
    if (!sent) {
        ingen_error_free(&error);
    }
    return true;
}

static bool run_udp_refused(char **arguments, ingen_error_t *err) {
    ingen_endpoint_t there = endpoint(arguments[1]);
    ingen_udp_t socket;
    size_t length;
    TRY(bound(arguments[0], &socket, err));
    TRY(ingen_udp_set_timeout(socket, LONG_US, err));
    TRY(ingen_udp_connect(socket, &there, err));
    TRY(ingen_udp_send(socket, "anybody?", 8, NULL, err));
    TRY(ingen_udp_receive(socket, buffer, 16, NULL, &length, err));
    say("answered");
    return true;
}

static bool run_udp_waits(char **arguments, ingen_error_t *err) {
    ingen_udp_t socket;
    size_t length;
    TRY(bound(arguments[0], &socket, err));
    TRY(ingen_udp_set_non_blocking(socket, true, err));
    say_failure(ingen_udp_receive(socket, buffer, 16, NULL, &length, err), err);
    TRY(ingen_udp_set_non_blocking(socket, false, err));
    TRY(ingen_udp_set_timeout(socket, SHORT_US, err));
    say(", then ");
    say_failure(ingen_udp_receive(socket, buffer, 16, NULL, &length, err), err);
    ingen_udp_close(socket);
    return true;
}

static bool run_udp_too_long(char **arguments, ingen_error_t *err) {
    static unsigned char data[70000];
    ingen_endpoint_t there = endpoint(arguments[1]);
    ingen_udp_t socket;
    TRY(bound(arguments[0], &socket, err));
    TRY(ingen_udp_send(socket, data, sizeof data, &there, err));
    say("sent");
    return true;
}

/* Opens sockets until there is an error. */
static bool run_sockets(char **arguments, ingen_error_t *err) {
    enum { MOST = 16 };
    ingen_udp_t opened[MOST];
    unsigned count = number(arguments[1]), made = 0;
    while (made < count && made < MOST && bound(arguments[0], &opened[made], err)) {
        made++;
    }
    for (unsigned i = 0; i < made; i++) {
        ingen_udp_close(opened[i]);
    }
    say("%u sockets", made);
    return made == count;
}

/* ---- For measurements ---- */

static bool run_bulk_send(char **arguments, ingen_error_t *err) {
    size_t left = number(arguments[1]), chunk = number(arguments[2]), length;
    unsigned char *data = calloc(chunk, 1);
    ingen_tcp_t connection;
    TRY(connected(arguments[0], &connection, err));
    while (left > 0) {
        size_t part = left < chunk ? left : chunk;
        TRY(ingen_tcp_write_all(connection, data, part, err));
        left -= part;
    }
    TRY(ingen_tcp_finish(connection, err));
    TRY(ingen_tcp_read_all(connection, data, chunk, &length, err));
    ingen_tcp_close(connection);
    free(data);
    say("%s bytes", arguments[1]);
    return true;
}

static bool run_bulk_receive(char **arguments, ingen_error_t *err) {
    enum { SIZE = 1 << 18 };
    unsigned char *data = malloc(SIZE);
    ingen_tcp_t connection;
    size_t total = 0, length;
    TRY(accepted(arguments[0], &connection, err));
    do {
        TRY(ingen_tcp_read(connection, data, SIZE, &length, err));
        total += length;
    } while (length > 0);
    ingen_tcp_close(connection);
    free(data);
    say("%zu bytes", total);
    return true;
}

static bool run_round_trips(char **arguments, ingen_error_t *err) {
    unsigned count = number(arguments[1]);
    ingen_tcp_t connection;
    size_t length;
    TRY(connected(arguments[0], &connection, err));
    TRY(ingen_sdk_tcp_connection_set_no_delay(ingen_sdk_tcp_own_connection_borrow(connection), true, err));
    for (unsigned i = 0; i < count; i++) {
        TRY(ingen_tcp_write_all(connection, buffer, 1, err));
        TRY(ingen_tcp_read_all(connection, buffer, 1, &length, err));
    }
    ingen_tcp_close(connection);
    say("%u round trips", count);
    return true;
}

/* ---- All of them ---- */

typedef struct entry_t {
    const char *name;
    bool (*run)(char **arguments, ingen_error_t *err);
} entry_t;

static const entry_t ENTRIES[] = {
    {"address", run_address},
    {"endpoint", run_endpoint},
    {"env", run_env},
    {"ping", run_ping},
    {"ping-many", run_ping_many},
    {"lookup", run_lookup},
    {"connect", run_connect},
    {"connect-name", run_connect_name},
    {"connect-from", run_connect_from},
    {"listen", run_listen},
    {"listen-twice", run_listen_twice},
    {"echo-server", run_echo_server},
    {"echo-client", run_echo_client},
    {"answer-server", run_answer_server},
    {"answer-client", run_answer_client},
    {"late-server", run_late_server},
    {"late-client", run_late_client},
    {"accept-would-block", run_accept_would_block},
    {"accept-timeout", run_accept_timeout},
    {"silent-server", run_silent_server},
    {"read-timeout", run_read_timeout},
    {"write-would-block", run_write_would_block},
    {"reset-server", run_reset_server},
    {"reset-client", run_reset_client},
    {"refused-later", run_refused_later},
    {"udp-server", run_udp_server},
    {"udp-client", run_udp_client},
    {"udp-refused", run_udp_refused},
    {"udp-waits", run_udp_waits},
    {"udp-too-long", run_udp_too_long},
    {"sockets", run_sockets},
    {"bulk-send", run_bulk_send},
    {"bulk-receive", run_bulk_receive},
    {"round-trips", run_round_trips},
};

static char *text_of(const scenarios_string_t *string) {
    char *text = malloc(string->len + 1);
    if (string->len > 0) {
        memcpy(text, string->ptr, string->len);
    }
    text[string->len] = '\0';
    return text;
}

bool exports_scenarios_run(
    scenarios_string_t scenario, scenarios_list_string_t arguments, scenarios_string_t *ret, scenarios_string_t *err
) {
    char *name = text_of(&scenario), *texts[MAX_ARGUMENTS + 1] = {NULL};
    ingen_error_t error;
    if (arguments.len > MAX_ARGUMENTS) {
        abort();
    }
    for (size_t i = 0; i < arguments.len; i++) {
        texts[i] = text_of(&arguments.ptr[i]);
    }
    const entry_t *entry = ENTRIES, *end = ENTRIES + sizeof ENTRIES / sizeof *ENTRIES;
    while (entry < end && strcmp(entry->name, name) != 0) {
        entry++;
    }
    if (entry == end) {
        abort();
    }
    result_length = 0;
    bool succeeded = entry->run(texts, &error);
    if (succeeded) {
        *ret = scenarios_string_copy_n(result, result_length);
    } else {
        result_length = 0;
        say_failure(false, &error);
        *err = scenarios_string_copy_n(result, result_length);
    }
    for (size_t i = 0; i < arguments.len; i++) {
        free(texts[i]);
    }
    free(name);
    scenarios_string_free(&scenario);
    scenarios_list_string_free(&arguments);
    return succeeded;
}
