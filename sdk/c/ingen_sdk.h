/*
 * What a guest process of an emulated VM reaches beyond WASI: pings, sockets with their options, names, and who
 * and where it is. A thin layer over the generated functions in `ingen_bindings.h`, which can be mixed with it.
 *
 * Compile `ingen_sdk.c` and `ingen_bindings.c` with your own code, for wasm32: `zig cc --target=wasm32-wasi`.
 *
 * - A function that can fail returns whether it has succeeded. Then what it found out is in `*ret`; otherwise the
 *   reason is in `*err`, unless `err` is NULL. Free an error with `ingen_error_free`.
 * - Options may be NULL. In options that are not, what is zero is left to the host: begin with `= {0}`.
 * - Connections, listeners and sockets are small values; close each of them once.
 */
#ifndef INGEN_SDK_H
#define INGEN_SDK_H

#include "ingen_bindings.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef ingen_sdk_types_error_t ingen_error_t;
typedef ingen_sdk_types_ip_address_t ingen_address_t;
/** An address with a port. */
typedef ingen_sdk_types_endpoint_t ingen_endpoint_t;
typedef ingen_sdk_list_types_ip_address_t ingen_addresses_t;
typedef ingen_sdk_icmp_ping_options_t ingen_ping_options_t;
typedef ingen_sdk_icmp_ping_reply_t ingen_ping_reply_t;
/** A TCP connection. */
typedef ingen_sdk_tcp_own_connection_t ingen_tcp_t;
/** A listener for TCP connections. */
typedef ingen_sdk_tcp_own_listener_t ingen_listener_t;
/** A UDP socket. */
typedef ingen_sdk_udp_own_socket_t ingen_udp_t;

/* ---- Errors ---- */

/** The name of an error's case, as the WIT has it: `refused`, `timed-out`. A constant. */
const char *ingen_error_name(const ingen_error_t *error);
/**
 * The name of an error's case, and after `: ` what more it says: at most `size` bytes of it, a zero at the end
 * included. Returns how long the whole of it is, without the zero.
 */
size_t ingen_error_text(const ingen_error_t *error, char *text, size_t size);
/** Free what an error owns. */
void ingen_error_free(ingen_error_t *error);

/* ---- Addresses ---- */

enum {
    /** Enough for an address as text, with the zero. */
    INGEN_ADDRESS_SIZE = 46,
    /** Enough for an address with a port as text, with the zero. */
    INGEN_ENDPOINT_SIZE = 54,
};

/** Read `10.0.0.1` or `fd00::1`. Returns whether it is an address. */
bool ingen_address_parse(const char *text, ingen_address_t *ret);
/** Write an address to `text`, which has room for INGEN_ADDRESS_SIZE bytes. Returns how many, without the zero. */
size_t ingen_address_print(const ingen_address_t *address, char *text);
bool ingen_address_equal(const ingen_address_t *a, const ingen_address_t *b);

/** Read `10.0.0.1:80` or `[fd00::1]:80`. Returns whether it is an address with a port. */
bool ingen_endpoint_parse(const char *text, ingen_endpoint_t *ret);
/** Write it to `text`, which has room for INGEN_ENDPOINT_SIZE bytes. Returns how many, without the zero. */
size_t ingen_endpoint_print(const ingen_endpoint_t *endpoint, char *text);
bool ingen_endpoint_equal(const ingen_endpoint_t *a, const ingen_endpoint_t *b);

/* ---- Environment ---- */

/**
 * Who and where this guest process is. Texts are empty where the VM was given none; the name, the role and both
 * lists of folders never are. Lists end with NULL.
 */
typedef struct ingen_env_t {
    /** Folders of the VM, which all its processes share. */
    char **vm_data_folders;
    /** Folders of this process. */
    char **process_data_folders;
    char *region;
    char *data_center;
    char *cluster;
    char *host;
    char *vm_name;
    char *owner;
    char *role;
    bool has_ipv4;
    /** The VM's primary IPv4 address. */
    ingen_address_t ipv4;
    bool has_ipv6;
    /** The VM's primary IPv6 address. */
    ingen_address_t ipv6;
} ingen_env_t;

/** Fails with `invalid` where the VM was set up without what must not be empty. */
bool ingen_env_get(ingen_env_t *ret, ingen_error_t *err);
void ingen_env_free(ingen_env_t *env);

/* ---- ICMP and names ---- */

/** Send one echo request and wait for the answer, which may be an ICMP error. */
bool ingen_ping(
    const ingen_address_t *target, const ingen_ping_options_t *options, ingen_ping_reply_t *ret, ingen_error_t *err
);
/** Whether the target has answered. */
bool ingen_ping_is_reply(const ingen_ping_reply_t *reply);
/** Whether somebody said that the target cannot be reached. */
bool ingen_ping_is_unreachable(const ingen_ping_reply_t *reply);
/** Whether a router said that the request's TTL has run out. */
bool ingen_ping_is_time_exceeded(const ingen_ping_reply_t *reply);

/** The addresses of a name, at least one; free them with `ingen_addresses_free`. */
bool ingen_lookup(const char *name, ingen_addresses_t *ret, ingen_error_t *err);
void ingen_addresses_free(ingen_addresses_t *addresses);

/* ---- TCP ---- */

bool ingen_tcp_connect(
    const ingen_endpoint_t *remote, const ingen_sdk_tcp_connect_options_t *options, ingen_tcp_t *ret,
    ingen_error_t *err
);
/** Connect to the first address of a name that answers. */
bool ingen_tcp_connect_name(
    const char *name, uint16_t port, const ingen_sdk_tcp_connect_options_t *options, ingen_tcp_t *ret,
    ingen_error_t *err
);
/** Read 1 to `size` bytes; none at the end. How many is in `*ret`. */
bool ingen_tcp_read(ingen_tcp_t connection, void *buffer, size_t size, size_t *ret, ingen_error_t *err);
/** Read `size` bytes, or fewer at the end. How many is in `*ret`, also after an error. */
bool ingen_tcp_read_all(ingen_tcp_t connection, void *buffer, size_t size, size_t *ret, ingen_error_t *err);
/** Write some of the bytes, from the first on. How many is in `*ret`. */
bool ingen_tcp_write(ingen_tcp_t connection, const void *data, size_t size, size_t *ret, ingen_error_t *err);
/** Write all of the bytes. */
bool ingen_tcp_write_all(ingen_tcp_t connection, const void *data, size_t size, ingen_error_t *err);
/** Give up writing: the peer reads the end. */
bool ingen_tcp_finish(ingen_tcp_t connection, ingen_error_t *err);
bool ingen_tcp_local(ingen_tcp_t connection, ingen_endpoint_t *ret, ingen_error_t *err);
bool ingen_tcp_peer(ingen_tcp_t connection, ingen_endpoint_t *ret, ingen_error_t *err);
/** How long reading and writing wait before they fail with `timed-out`; 0 for as long as it takes. */
bool ingen_tcp_set_timeout(ingen_tcp_t connection, uint64_t microseconds, ingen_error_t *err);
bool ingen_tcp_set_non_blocking(ingen_tcp_t connection, bool enabled, ingen_error_t *err);
void ingen_tcp_close(ingen_tcp_t connection);

/** Listen at an address of the VM; port 0 takes a free one. */
bool ingen_listen(
    const ingen_endpoint_t *local, const ingen_sdk_tcp_bind_options_t *options, ingen_listener_t *ret,
    ingen_error_t *err
);
/** Wait for the next connection. */
bool ingen_accept(ingen_listener_t listener, ingen_tcp_t *ret, ingen_error_t *err);
bool ingen_listener_local(ingen_listener_t listener, ingen_endpoint_t *ret, ingen_error_t *err);
/** How long `ingen_accept` waits before it fails with `timed-out`; 0 for as long as it takes. */
bool ingen_listener_set_timeout(ingen_listener_t listener, uint64_t microseconds, ingen_error_t *err);
bool ingen_listener_set_non_blocking(ingen_listener_t listener, bool enabled, ingen_error_t *err);
void ingen_listener_close(ingen_listener_t listener);

/* ---- UDP ---- */

/** A socket at an address of the VM; port 0 takes a free one. */
bool ingen_udp_bind(
    const ingen_endpoint_t *local, const ingen_sdk_udp_bind_options_t *options, ingen_udp_t *ret,
    ingen_error_t *err
);
/** Send to and receive from this peer alone; NULL undoes it. */
bool ingen_udp_connect(ingen_udp_t socket, const ingen_endpoint_t *remote, ingen_error_t *err);
/** Wait for the next datagram; what does not fit is lost. `from` may be NULL. How long it is is in `*ret`. */
bool ingen_udp_receive(
    ingen_udp_t socket, void *buffer, size_t size, ingen_endpoint_t *from, size_t *ret, ingen_error_t *err
);
/** Send a datagram; where `to` is NULL, to the peer that the socket is connected to. */
bool ingen_udp_send(
    ingen_udp_t socket, const void *data, size_t size, const ingen_endpoint_t *to, ingen_error_t *err
);
bool ingen_udp_local(ingen_udp_t socket, ingen_endpoint_t *ret, ingen_error_t *err);
/** How long sending and receiving wait before they fail with `timed-out`; 0 for as long as it takes. */
bool ingen_udp_set_timeout(ingen_udp_t socket, uint64_t microseconds, ingen_error_t *err);
bool ingen_udp_set_non_blocking(ingen_udp_t socket, bool enabled, ingen_error_t *err);
void ingen_udp_close(ingen_udp_t socket);

#ifdef __cplusplus
}
#endif

#endif
