/* secure.h - TLS on a connection. */
#ifndef NET_SECURE_H
#define NET_SECURE_H

#include "hearsay/tls.h"
#include "hearsay/wire.h"

struct conn;
struct hs_reactor;

/* TLS of a connection. What is decrypted and not worked off lies in the
 * reactor's buffer, or, for who has to wait, in one of its own. */
struct secure {
    struct hs_tls_session *tls;
    char ip[HS_IP_LEN]; /* the peer's, to tell of it when it is gone */
    uint16_t port;
    const uint8_t *plain;
    uint8_t *left; /* ours, or NULL */
    uint32_t plain_n;
    uint32_t shake_bytes;      /* received during the handshake */
    uint8_t sender[HS_ID_LEN]; /* whom its certificate was last found to be */
    bool verified;             /* sender is set */
};

/* Starts TLS. False: c is closed, for want of room or memory. */
bool secure_open(struct hs_reactor *r, struct conn *c, enum hs_tls_side side);
void secure_free(struct conn *c);
/* The oldest handshake that a peer began, or NULL: what we dial gives way to nobody. */
struct conn *secure_oldest_guest(struct hs_reactor *r);
/* The handshake, with what was received. */
void secure_work(struct hs_reactor *r, struct conn *c);
/* Plaintext to work on, or NULL; c may be closed then. */
const uint8_t *secure_input(struct hs_reactor *r, struct conn *c, size_t *n);
bool secure_has_input(const struct conn *c);
void secure_used(struct conn *c, size_t n);
/* Whether this frame may come from this peer. False: c is closed. */
bool secure_is_sender(struct hs_reactor *r, struct conn *c, const struct hs_view *v);
/* Before the reactor turns to another connection. */
void secure_keep(struct hs_reactor *r, struct conn *c);
void secure_flush(struct hs_reactor *r, struct conn *c);
void secure_sent(struct hs_reactor *r, struct conn *c, uint32_t n);
void secure_expire(struct hs_reactor *r);
int64_t secure_shake_ms(const struct hs_reactor *r);

#endif
