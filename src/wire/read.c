/* read.c - reading a checked frame in place.
 *
 * Lengths were proved by hs_wire_check(); what is left is text that a sender
 * may not have terminated, and which text may be stored.
 */
#include "wire_int.h"

#include <string.h>

/* Sixteen characters at a time, in the vectors every compiler we use has: the
 * ids of a gossip section are half of what checking a frame costs. */
typedef uint8_t chars16 __attribute__((vector_size(16)));

static chars16 load16(const uint8_t *p)
{
    chars16 c;

    memcpy(&c, p, sizeof(c));
    return c;
}

/* All bits of a byte set where it is a digit or a lower-case letter. */
static chars16 good16(chars16 c)
{
    chars16 digit = (chars16)((c - (uint8_t)'0') < (uint8_t)10);
    chars16 letter = (chars16)((c - (uint8_t)'a') < (uint8_t)26);

    return digit | letter;
}

bool hs_wire_id_valid(const uint8_t *id)
{
    /* The last load overlaps the second: 40 is not a multiple of 16. */
    chars16 good =
        good16(load16(id)) & good16(load16(id + 16)) & good16(load16(id + HS_ID_LEN - 16));
    uint64_t halves[2];

    memcpy(halves, &good, sizeof(halves));
    return (halves[0] & halves[1]) == UINT64_MAX;
}

bool hs_wire_gossip_valid(const struct hs_view *v)
{
    for (uint32_t i = 0; i < v->gossip_n; i++) {
        if (!hs_wire_id_valid(hs_view_gossip(v, i) + HS_G_ID))
            return false;
    }
    return true;
}

size_t wire_text_len(const void *text, size_t max)
{
    const uint8_t *p = text;
    size_t n = 0;

    while (n < max && p[n] != 0)
        n++;
    return n;
}

void hs_wire_ip(const uint8_t src[HS_IP_LEN], char dst[HS_IP_LEN])
{
    size_t n = wire_text_len(src, HS_IP_LEN - 1);

    memcpy(dst, src, n);
    memset(dst + n, 0, HS_IP_LEN - n);
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool hs_wire_hostname_valid(const char *text)
{
    size_t n = wire_text_len(text, HS_HOSTNAME_MAX + 1);

    for (size_t i = 0; i < n; i++) {
        if (!is_alnum(text[i]) && text[i] != '.' && text[i] != '-')
            return false;
    }
    return n > 0 && n <= HS_HOSTNAME_MAX;
}

bool hs_wire_nodename_valid(const char *text)
{
    /* What stock servers refuse in a configured name, and what would end a field of nodes.conf. */
    static const char refused[] = "!#$%&()*+:;<>?@[]^{|}~,=\"'\\";
    size_t n = wire_text_len(text, HS_HOSTNAME_MAX + 1);

    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
        for (size_t k = 0; k < sizeof(refused) - 1; k++) {
            if (text[i] == refused[k])
                return false;
        }
    }
    return n > 0 && n <= HS_HOSTNAME_MAX;
}

bool hs_wire_ext_next(const struct hs_view *v, uint32_t *off, struct hs_ext *ext)
{
    if (*off >= v->len)
        return false;
    const uint8_t *p = v->frame + *off;
    uint32_t len = hs_get32(p + HS_X_LEN);

    *ext = (struct hs_ext){
        .type = hs_get16(p + HS_X_TYPE), .len = len - HS_X_DATA, .data = p + HS_X_DATA};
    *off += len;
    return true;
}

void hs_wire_publish(const struct hs_view *v, struct hs_publish *out)
{
    const uint8_t *p = v->frame + wire_publish_off((v->marks & HS_VIEW_LIGHT) != 0);

    *out = (struct hs_publish){0};
    if (!wire_is_publish(v->type))
        return;
    out->channel_len = hs_get32(p);
    out->message_len = hs_get32(p + 4);
    out->channel = p + WIRE_PUBLISH_LENS;
    out->message = out->channel + out->channel_len;
}

bool wire_id_is_zero(const uint8_t *id)
{
    static const uint8_t zero[HS_ID_LEN];

    return memcmp(id, zero, HS_ID_LEN) == 0;
}

void hs_wire_read_hdr(const struct hs_view *v, struct hs_hdr *h, struct hs_node_id *slaveof,
                      char ip[HS_IP_LEN])
{
    const uint8_t *p = v->frame;

    *h = (struct hs_hdr){.myip = ip};
    memset(ip, 0, HS_IP_LEN);
    if (v->marks & HS_VIEW_LIGHT)
        return;
    h->port = hs_get16(p + HS_OFF_PORT);
    h->current_epoch = hs_get64(p + HS_OFF_CURRENT_EPOCH);
    h->config_epoch = hs_get64(p + HS_OFF_CONFIG_EPOCH);
    h->offset = hs_get64(p + HS_OFF_OFFSET);
    memcpy(h->sender.hex, p + HS_OFF_SENDER, HS_ID_LEN);
    h->slots = p + HS_OFF_SLOTS;
    if (!wire_id_is_zero(p + HS_OFF_SLAVEOF)) {
        memcpy(slaveof->hex, p + HS_OFF_SLAVEOF, HS_ID_LEN);
        h->slaveof = slaveof;
    }
    hs_wire_ip(p + HS_OFF_MYIP, ip);
    h->pport = hs_get16(p + HS_OFF_PPORT);
    h->cport = hs_get16(p + HS_OFF_CPORT);
    h->flags = hs_get16(p + HS_OFF_FLAGS);
    h->state = p[HS_OFF_STATE];
    h->mflags = p[HS_OFF_MFLAGS];
}
