#include "ingen_sdk.h"

#include <stdlib.h>
#include <string.h>

/* ---- Errors ---- */

/* Hand an error to the caller, or free it where the caller does not want it. Returns false, for `return`. */
static bool failed(ingen_error_t *error, ingen_error_t *err) {
    if (err == NULL) {
        ingen_error_free(error);
    } else {
        *err = *error;
    }
    return false;
}

const char *ingen_error_name(const ingen_error_t *error) {
    switch (error->tag) {
        case INGEN_SDK_TYPES_ERROR_REFUSED:
            return "refused";
        case INGEN_SDK_TYPES_ERROR_UNREACHABLE:
            return "unreachable";
        case INGEN_SDK_TYPES_ERROR_TIMED_OUT:
            return "timed-out";
        case INGEN_SDK_TYPES_ERROR_RESET:
            return "reset";
        case INGEN_SDK_TYPES_ERROR_IN_USE:
            return "in-use";
        case INGEN_SDK_TYPES_ERROR_DENIED:
            return "denied";
        case INGEN_SDK_TYPES_ERROR_NOT_FOUND:
            return "not-found";
        case INGEN_SDK_TYPES_ERROR_INVALID:
            return "invalid";
        case INGEN_SDK_TYPES_ERROR_WOULD_BLOCK:
            return "would-block";
        case INGEN_SDK_TYPES_ERROR_CLOSED:
            return "closed";
        default:
            return "other";
    }
}

/* Text that grows in memory of a fixed size, and is counted beyond it. */
typedef struct writer_t {
    char *text;
    size_t size;
    size_t length;
} writer_t;

static void put(writer_t *writer, char byte) {
    if (writer->length < writer->size) {
        writer->text[writer->length] = byte;
    }
    writer->length++;
}

static void put_text(writer_t *writer, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        put(writer, text[i]);
    }
}

static void put_number(writer_t *writer, unsigned number, unsigned base) {
    char digits[8];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    while (count > 0) {
        put(writer, digits[--count]);
    }
}

static size_t finish(writer_t *writer) {
    if (writer->size > 0) {
        writer->text[writer->length < writer->size ? writer->length : writer->size - 1] = '\0';
    }
    return writer->length;
}

size_t ingen_error_text(const ingen_error_t *error, char *text, size_t size) {
    writer_t writer = {text, size, 0};
    const char *name = ingen_error_name(error);
    const ingen_sdk_string_t *more = NULL;
    switch (error->tag) {
        case INGEN_SDK_TYPES_ERROR_DENIED:
            more = &error->val.denied;
            break;
        case INGEN_SDK_TYPES_ERROR_INVALID:
            more = &error->val.invalid;
            break;
        case INGEN_SDK_TYPES_ERROR_OTHER:
            more = &error->val.other;
            break;
        default:
            break;
    }
    put_text(&writer, name, strlen(name));
    if (more != NULL) {
        put_text(&writer, ": ", 2);
        put_text(&writer, more->ptr, more->len);
    }
    return finish(&writer);
}

void ingen_error_free(ingen_error_t *error) {
    ingen_sdk_types_error_free(error);
}

/* ---- Addresses ---- */

static void get_octets(const ingen_address_t *address, unsigned octets[4]) {
    const ingen_sdk_types_ipv4_address_t *ipv4 = &address->val.ipv4;
    octets[0] = ipv4->f0;
    octets[1] = ipv4->f1;
    octets[2] = ipv4->f2;
    octets[3] = ipv4->f3;
}

static void get_groups(const ingen_address_t *address, unsigned groups[8]) {
    const ingen_sdk_types_ipv6_address_t *ipv6 = &address->val.ipv6;
    groups[0] = ipv6->f0;
    groups[1] = ipv6->f1;
    groups[2] = ipv6->f2;
    groups[3] = ipv6->f3;
    groups[4] = ipv6->f4;
    groups[5] = ipv6->f5;
    groups[6] = ipv6->f6;
    groups[7] = ipv6->f7;
}

static ingen_address_t from_octets(const unsigned octets[4]) {
    ingen_sdk_types_ipv4_address_t ipv4 = {
        (uint8_t)octets[0], (uint8_t)octets[1], (uint8_t)octets[2], (uint8_t)octets[3],
    };
    return ingen_sdk_types_ip_address_ipv4(ipv4);
}

static ingen_address_t from_groups(const unsigned groups[8]) {
    ingen_sdk_types_ipv6_address_t ipv6 = {
        (uint16_t)groups[0], (uint16_t)groups[1], (uint16_t)groups[2], (uint16_t)groups[3],
        (uint16_t)groups[4], (uint16_t)groups[5], (uint16_t)groups[6], (uint16_t)groups[7],
    };
    return ingen_sdk_types_ip_address_ipv6(ipv6);
}

/* Digits of a base, as a number up to `limit`; how many are read, 0 where they are no such number. */
static size_t read_number(const char *text, size_t length, unsigned base, unsigned limit, unsigned *number) {
    size_t count = 0;
    *number = 0;
    for (; count < length; count++) {
        char byte = text[count];
        unsigned digit;
        if (byte >= '0' && byte <= '9') {
            digit = (unsigned)(byte - '0');
        } else if (base == 16 && byte >= 'a' && byte <= 'f') {
            digit = (unsigned)(byte - 'a') + 10;
        } else if (base == 16 && byte >= 'A' && byte <= 'F') {
            digit = (unsigned)(byte - 'A') + 10;
        } else {
            break;
        }
        *number = *number * base + digit;
        if (*number > limit || (base == 16 && count == 4)) {
            return 0;
        }
    }
    return count;
}

/* Four numbers without leading zeros. */
static bool read_octets(const char *text, size_t length, unsigned octets[4]) {
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i > 0 && (at == length || text[at++] != '.')) {
            return false;
        }
        size_t count = read_number(text + at, length - at, 10, 255, &octets[i]);
        if (count == 0 || (count > 1 && text[at] == '0')) {
            return false;
        }
        at += count;
    }
    return at == length;
}

/*
 * Up to `room` groups joined by colons; how many in `count`. Where the address ends with them, the last two may be
 * an IPv4 address.
 */
static bool read_groups(
    const char *text, size_t length, bool at_end, unsigned *groups, size_t room, size_t *count
) {
    size_t at = 0;
    *count = 0;
    while (at < length) {
        unsigned octets[4];
        if (*count > 0 && text[at++] != ':') {
            return false;
        }
        if (at_end && room - *count >= 2 && read_octets(text + at, length - at, octets)) {
            groups[(*count)++] = octets[0] << 8 | octets[1];
            groups[(*count)++] = octets[2] << 8 | octets[3];
            return true;
        }
        size_t read = *count < room ? read_number(text + at, length - at, 16, 0xFFFF, &groups[*count]) : 0;
        if (read == 0) {
            return false;
        }
        (*count)++;
        at += read;
    }
    return true;
}

static bool read_address(const char *text, size_t length, ingen_address_t *ret) {
    unsigned octets[4], groups[8] = {0}, tail[8];
    size_t gap = 0, before, after;
    if (read_octets(text, length, octets)) {
        *ret = from_octets(octets);
        return true;
    }
    while (gap + 1 < length && !(text[gap] == ':' && text[gap + 1] == ':')) {
        gap++;
    }
    if (gap + 1 < length) {
        /* `::` stands for one group of zero at least. */
        if (!read_groups(text, gap, false, groups, 7, &before)
            || !read_groups(text + gap + 2, length - gap - 2, true, tail, 7 - before, &after)) {
            return false;
        }
        for (size_t i = before; i < 8; i++) {
            groups[i] = i < 8 - after ? 0 : tail[i - (8 - after)];
        }
    } else if (!read_groups(text, length, true, groups, 8, &before) || before != 8) {
        return false;
    }
    *ret = from_groups(groups);
    return true;
}

bool ingen_address_parse(const char *text, ingen_address_t *ret) {
    return read_address(text, strlen(text), ret);
}

static void put_octets(writer_t *writer, const unsigned octets[4]) {
    for (size_t i = 0; i < 4; i++) {
        if (i > 0) {
            put(writer, '.');
        }
        put_number(writer, octets[i], 10);
    }
}

/* As RFC 5952 has it: `::` for the first of the longest runs of two or more zeros. */
static void put_groups(writer_t *writer, const unsigned groups[8]) {
    size_t start = 8, length = 1;
    for (size_t i = 0; i < 8; i++) {
        size_t run = 0;
        while (i + run < 8 && groups[i + run] == 0) {
            run++;
        }
        if (run > length) {
            start = i;
            length = run;
        }
    }
    for (size_t i = 0; i < 8; i++) {
        if (i == start) {
            put_text(writer, "::", 2);
            i += length - 1;
            continue;
        }
        if (i > 0 && !(start < 8 && i == start + length)) {
            put(writer, ':');
        }
        put_number(writer, groups[i], 16);
    }
}

static void put_address(writer_t *writer, const ingen_address_t *address) {
    if (address->tag == INGEN_SDK_TYPES_IP_ADDRESS_IPV4) {
        unsigned octets[4];
        get_octets(address, octets);
        put_octets(writer, octets);
    } else {
        unsigned groups[8];
        get_groups(address, groups);
        put_groups(writer, groups);
    }
}

size_t ingen_address_print(const ingen_address_t *address, char *text) {
    writer_t writer = {text, INGEN_ADDRESS_SIZE, 0};
    put_address(&writer, address);
    return finish(&writer);
}

bool ingen_address_equal(const ingen_address_t *a, const ingen_address_t *b) {
    if (a->tag != b->tag) {
        return false;
    }
    if (a->tag == INGEN_SDK_TYPES_IP_ADDRESS_IPV4) {
        return memcmp(&a->val.ipv4, &b->val.ipv4, sizeof a->val.ipv4) == 0;
    }
    return memcmp(&a->val.ipv6, &b->val.ipv6, sizeof a->val.ipv6) == 0;
}

bool ingen_endpoint_parse(const char *text, ingen_endpoint_t *ret) {
    const char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return false;
    }
    const char *address = text;
    size_t length = (size_t)(colon - text), digits = strlen(colon + 1);
    bool bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    if (bracketed) {
        address++;
        length -= 2;
    }
    unsigned port;
    if (read_number(colon + 1, digits, 10, 0xFFFF, &port) != digits || digits == 0
        || !read_address(address, length, &ret->address)
        || bracketed != (ret->address.tag == INGEN_SDK_TYPES_IP_ADDRESS_IPV6)) {
        return false;
    }
    ret->port = (uint16_t)port;
    return true;
}

size_t ingen_endpoint_print(const ingen_endpoint_t *endpoint, char *text) {
    writer_t writer = {text, INGEN_ENDPOINT_SIZE, 0};
    bool bracketed = endpoint->address.tag == INGEN_SDK_TYPES_IP_ADDRESS_IPV6;
    if (bracketed) {
        put(&writer, '[');
    }
    put_address(&writer, &endpoint->address);
    if (bracketed) {
        put(&writer, ']');
    }
    put(&writer, ':');
    put_number(&writer, endpoint->port, 10);
    return finish(&writer);
}

bool ingen_endpoint_equal(const ingen_endpoint_t *a, const ingen_endpoint_t *b) {
    return a->port == b->port && ingen_address_equal(&a->address, &b->address);
}

/* ---- Environment ---- */

static void *allocate(size_t size) {
    void *made = malloc(size);
    if (made == NULL) {
        abort();
    }
    return made;
}

static char *text_of(const ingen_sdk_string_t *string) {
    char *text = (char *)allocate(string->len + 1);
    if (string->len > 0) {
        memcpy(text, string->ptr, string->len);
    }
    text[string->len] = '\0';
    return text;
}

static char **texts_of(const ingen_sdk_list_string_t *strings) {
    char **texts = (char **)allocate((strings->len + 1) * sizeof *texts);
    for (size_t i = 0; i < strings->len; i++) {
        texts[i] = text_of(&strings->ptr[i]);
    }
    texts[strings->len] = NULL;
    return texts;
}

bool ingen_env_get(ingen_env_t *ret, ingen_error_t *err) {
    ingen_sdk_environment_vm_t vm;
    ingen_error_t error;
    if (!ingen_sdk_environment_get(&vm, &error)) {
        return failed(&error, err);
    }
    ret->vm_data_folders = texts_of(&vm.data_folders);
    ret->process_data_folders = texts_of(&vm.process_data_folders);
    ret->region = text_of(&vm.region);
    ret->data_center = text_of(&vm.data_center);
    ret->cluster = text_of(&vm.cluster);
    ret->host = text_of(&vm.host);
    ret->vm_name = text_of(&vm.name);
    ret->owner = text_of(&vm.owner);
    ret->role = text_of(&vm.role);
    ret->has_ipv4 = vm.primary_ipv4.is_some;
    ret->ipv4 = ingen_sdk_types_ip_address_ipv4(vm.primary_ipv4.val);
    ret->has_ipv6 = vm.primary_ipv6.is_some;
    ret->ipv6 = ingen_sdk_types_ip_address_ipv6(vm.primary_ipv6.val);
    ingen_sdk_environment_vm_free(&vm);
    return true;
}

static void free_texts(char **texts) {
    for (size_t i = 0; texts[i] != NULL; i++) {
        free(texts[i]);
    }
    free(texts);
}

void ingen_env_free(ingen_env_t *env) {
    free_texts(env->vm_data_folders);
    free_texts(env->process_data_folders);
    free(env->region);
    free(env->data_center);
    free(env->cluster);
    free(env->host);
    free(env->vm_name);
    free(env->owner);
    free(env->role);
}

/* ---- ICMP and names ---- */

bool ingen_ping(
    const ingen_address_t *target, const ingen_ping_options_t *options, ingen_ping_reply_t *ret, ingen_error_t *err
) {
    ingen_sdk_option_icmp_ping_options_t given = ingen_sdk_option_icmp_ping_options_none();
    ingen_error_t error;
    if (options != NULL) {
        given = ingen_sdk_option_icmp_ping_options_some(*options);
    }
    return ingen_sdk_icmp_ping(target, &given, ret, &error) || failed(&error, err);
}

static bool is_type(const ingen_ping_reply_t *reply, uint8_t ipv4, uint8_t ipv6) {
    return reply->icmp_type == (reply->source.tag == INGEN_SDK_TYPES_IP_ADDRESS_IPV4 ? ipv4 : ipv6);
}

bool ingen_ping_is_reply(const ingen_ping_reply_t *reply) {
    return is_type(reply, 0, 129);
}

bool ingen_ping_is_unreachable(const ingen_ping_reply_t *reply) {
    return is_type(reply, 3, 1);
}

bool ingen_ping_is_time_exceeded(const ingen_ping_reply_t *reply) {
    return is_type(reply, 11, 3);
}

bool ingen_lookup(const char *name, ingen_addresses_t *ret, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_dns_lookup(ingen_sdk_string_view(name), ret, &error) || failed(&error, err);
}

void ingen_addresses_free(ingen_addresses_t *addresses) {
    ingen_sdk_list_types_ip_address_free(addresses);
}

/* ---- TCP ---- */

static ingen_sdk_tcp_borrow_connection_t lent(ingen_tcp_t connection) {
    return ingen_sdk_tcp_own_connection_borrow(connection);
}

static ingen_sdk_tcp_borrow_listener_t lent_listener(ingen_listener_t listener) {
    return ingen_sdk_tcp_own_listener_borrow(listener);
}

/* Bytes as a list that is only read. */
static ingen_sdk_list_u8_t bytes(const void *data, size_t size) {
    ingen_sdk_list_u8_t list;
    list.ptr = (uint8_t *)(uintptr_t)data;
    list.len = size;
    return list;
}

static uint32_t limit_of(size_t size) {
    return size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

static ingen_sdk_option_u64_t timeout_of(uint64_t microseconds) {
    return microseconds == 0 ? ingen_sdk_option_u64_none() : ingen_sdk_option_u64_some(microseconds);
}

bool ingen_tcp_connect(
    const ingen_endpoint_t *remote, const ingen_sdk_tcp_connect_options_t *options, ingen_tcp_t *ret,
    ingen_error_t *err
) {
    ingen_sdk_option_tcp_connect_options_t given = ingen_sdk_option_tcp_connect_options_none();
    ingen_error_t error;
    if (options != NULL) {
        given = ingen_sdk_option_tcp_connect_options_some(*options);
    }
    return ingen_sdk_tcp_connection_connect(remote, &given, ret, &error) || failed(&error, err);
}

bool ingen_tcp_connect_name(
    const char *name, uint16_t port, const ingen_sdk_tcp_connect_options_t *options, ingen_tcp_t *ret,
    ingen_error_t *err
) {
    ingen_addresses_t addresses;
    ingen_error_t error;
    if (!ingen_lookup(name, &addresses, &error)) {
        return failed(&error, err);
    }
    bool connected = false;
    for (size_t i = 0; i < addresses.len && !connected; i++) {
        if (i > 0) {
            ingen_error_free(&error);
        }
        ingen_endpoint_t remote = {addresses.ptr[i], port};
        connected = ingen_tcp_connect(&remote, options, ret, &error);
    }
    ingen_addresses_free(&addresses);
    return connected || failed(&error, err);
}

bool ingen_tcp_read(ingen_tcp_t connection, void *buffer, size_t size, size_t *ret, ingen_error_t *err) {
    ingen_sdk_list_u8_t data;
    ingen_error_t error;
    *ret = 0;
    if (size == 0) {
        return true;
    }
    if (!ingen_sdk_tcp_connection_read(lent(connection), limit_of(size), &data, &error)) {
        return failed(&error, err);
    }
    *ret = data.len;
    if (data.len > 0) {
        memcpy(buffer, data.ptr, data.len);
    }
    ingen_sdk_list_u8_free(&data);
    return true;
}

bool ingen_tcp_read_all(ingen_tcp_t connection, void *buffer, size_t size, size_t *ret, ingen_error_t *err) {
    size_t got = 1;
    *ret = 0;
    while (*ret < size && got > 0) {
        if (!ingen_tcp_read(connection, (char *)buffer + *ret, size - *ret, &got, err)) {
            return false;
        }
        *ret += got;
    }
    return true;
}

bool ingen_tcp_write(ingen_tcp_t connection, const void *data, size_t size, size_t *ret, ingen_error_t *err) {
    uint32_t taken = 0;
    ingen_error_t error;
    if (!ingen_sdk_tcp_connection_write(lent(connection), bytes(data, limit_of(size)), &taken, &error)) {
        *ret = 0;
        return failed(&error, err);
    }
    *ret = taken;
    return true;
}

bool ingen_tcp_write_all(ingen_tcp_t connection, const void *data, size_t size, ingen_error_t *err) {
    size_t sent = 0;
    while (sent < size) {
        size_t taken;
        if (!ingen_tcp_write(connection, (const char *)data + sent, size - sent, &taken, err)) {
            return false;
        }
        sent += taken;
    }
    return true;
}

bool ingen_tcp_finish(ingen_tcp_t connection, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_tcp_connection_shutdown(lent(connection), INGEN_SDK_TCP_DIRECTION_WRITE, &error)
        || failed(&error, err);
}

bool ingen_tcp_local(ingen_tcp_t connection, ingen_endpoint_t *ret, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_tcp_connection_local_address(lent(connection), ret, &error) || failed(&error, err);
}

bool ingen_tcp_peer(ingen_tcp_t connection, ingen_endpoint_t *ret, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_tcp_connection_peer_address(lent(connection), ret, &error) || failed(&error, err);
}

bool ingen_tcp_set_timeout(ingen_tcp_t connection, uint64_t microseconds, ingen_error_t *err) {
    ingen_sdk_option_u64_t timeout = timeout_of(microseconds);
    ingen_error_t error;
    return ingen_sdk_tcp_connection_set_timeout(lent(connection), &timeout, &error) || failed(&error, err);
}

bool ingen_tcp_set_non_blocking(ingen_tcp_t connection, bool enabled, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_tcp_connection_set_non_blocking(lent(connection), enabled, &error) || failed(&error, err);
}

void ingen_tcp_close(ingen_tcp_t connection) {
    ingen_sdk_tcp_own_connection_drop(connection);
}

bool ingen_listen(
    const ingen_endpoint_t *local, const ingen_sdk_tcp_bind_options_t *options, ingen_listener_t *ret,
    ingen_error_t *err
) {
    ingen_sdk_option_tcp_bind_options_t given = ingen_sdk_option_tcp_bind_options_none();
    ingen_error_t error;
    if (options != NULL) {
        given = ingen_sdk_option_tcp_bind_options_some(*options);
    }
    return ingen_sdk_tcp_listener_bind(local, &given, ret, &error) || failed(&error, err);
}

bool ingen_accept(ingen_listener_t listener, ingen_tcp_t *ret, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_tcp_listener_accept(lent_listener(listener), ret, &error) || failed(&error, err);
}

bool ingen_listener_local(ingen_listener_t listener, ingen_endpoint_t *ret, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_tcp_listener_local_address(lent_listener(listener), ret, &error) || failed(&error, err);
}

bool ingen_listener_set_timeout(ingen_listener_t listener, uint64_t microseconds, ingen_error_t *err) {
    ingen_sdk_option_u64_t timeout = timeout_of(microseconds);
    ingen_error_t error;
    return ingen_sdk_tcp_listener_set_timeout(lent_listener(listener), &timeout, &error) || failed(&error, err);
}

bool ingen_listener_set_non_blocking(ingen_listener_t listener, bool enabled, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_tcp_listener_set_non_blocking(lent_listener(listener), enabled, &error)
        || failed(&error, err);
}

void ingen_listener_close(ingen_listener_t listener) {
    ingen_sdk_tcp_own_listener_drop(listener);
}

/* ---- UDP ---- */

static ingen_sdk_udp_borrow_socket_t lent_socket(ingen_udp_t socket) {
    return ingen_sdk_udp_own_socket_borrow(socket);
}

static ingen_sdk_option_types_endpoint_t perhaps(const ingen_endpoint_t *endpoint) {
    return endpoint == NULL ? ingen_sdk_option_types_endpoint_none()
                            : ingen_sdk_option_types_endpoint_some(*endpoint);
}

bool ingen_udp_bind(
    const ingen_endpoint_t *local, const ingen_sdk_udp_bind_options_t *options, ingen_udp_t *ret,
    ingen_error_t *err
) {
    ingen_sdk_option_udp_bind_options_t given = ingen_sdk_option_udp_bind_options_none();
    ingen_error_t error;
    if (options != NULL) {
        given = ingen_sdk_option_udp_bind_options_some(*options);
    }
    return ingen_sdk_udp_socket_bind(local, &given, ret, &error) || failed(&error, err);
}

bool ingen_udp_connect(ingen_udp_t socket, const ingen_endpoint_t *remote, ingen_error_t *err) {
    ingen_sdk_option_types_endpoint_t given = perhaps(remote);
    ingen_error_t error;
    return ingen_sdk_udp_socket_connect(lent_socket(socket), &given, &error) || failed(&error, err);
}

bool ingen_udp_receive(
    ingen_udp_t socket, void *buffer, size_t size, ingen_endpoint_t *from, size_t *ret, ingen_error_t *err
) {
    ingen_sdk_udp_datagram_t datagram;
    ingen_error_t error;
    *ret = 0;
    if (!ingen_sdk_udp_socket_receive(lent_socket(socket), limit_of(size), &datagram, &error)) {
        return failed(&error, err);
    }
    *ret = datagram.data.len;
    if (datagram.data.len > 0) {
        memcpy(buffer, datagram.data.ptr, datagram.data.len);
    }
    if (from != NULL) {
        *from = datagram.remote;
    }
    ingen_sdk_udp_datagram_free(&datagram);
    return true;
}

bool ingen_udp_send(
    ingen_udp_t socket, const void *data, size_t size, const ingen_endpoint_t *to, ingen_error_t *err
) {
    ingen_sdk_option_types_endpoint_t given = perhaps(to);
    ingen_error_t error;
    return ingen_sdk_udp_socket_send(lent_socket(socket), bytes(data, size), &given, &error)
        || failed(&error, err);
}

bool ingen_udp_local(ingen_udp_t socket, ingen_endpoint_t *ret, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_udp_socket_local_address(lent_socket(socket), ret, &error) || failed(&error, err);
}

bool ingen_udp_set_timeout(ingen_udp_t socket, uint64_t microseconds, ingen_error_t *err) {
    ingen_sdk_option_u64_t timeout = timeout_of(microseconds);
    ingen_error_t error;
    return ingen_sdk_udp_socket_set_timeout(lent_socket(socket), &timeout, &error) || failed(&error, err);
}

bool ingen_udp_set_non_blocking(ingen_udp_t socket, bool enabled, ingen_error_t *err) {
    ingen_error_t error;
    return ingen_sdk_udp_socket_set_non_blocking(lent_socket(socket), enabled, &error) || failed(&error, err);
}

void ingen_udp_close(ingen_udp_t socket) {
    ingen_sdk_udp_own_socket_drop(socket);
}
