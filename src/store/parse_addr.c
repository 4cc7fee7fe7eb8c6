/* The address field, where every version added something:
 *
 *   ip:port                                    before 4.0
 *   ip:port@cport                              4.0, 6.2
 *   ip:port@cport,hostname                     7.0
 *   ip:port@cport,hostname,name=value,...      7.2 and later, Valkey
 *
 * An IPv6 address is written bare, so the port starts after the last colon
 * before '@'.
 */
#include "store_int.h"

#include <stdio.h>
#include <string.h>

enum { ADDRESS_MAX = 1200 }; /* the longest legal field has about 1,000 bytes */

static bool port_value(const char *text, uint16_t *port)
{
    uint64_t v;
    if (!nodesconf_number(text, strlen(text), UINT16_MAX, &v))
        return false;
    *port = (uint16_t)v;
    return true;
}

/* Keeps the text if it is valid, and says so. */
static bool string_value(struct nodesconf *p, bool valid, const char *text, const char **into)
{
    if (valid) {
        *into = hs_topo_string(p->t, text);
        HS_ASSERT(*into != NULL); /* the area is as large as the file */
    }
    return valid;
}

static bool shard_value(const char *text, char shard_id[HS_ID_LEN])
{
    if (strlen(text) != HS_ID_LEN || !hs_wire_id_valid((const uint8_t *)text))
        return false;
    memcpy(shard_id, text, HS_ID_LEN);
    return true;
}

/* name=value. An unknown name is refused, as stock loaders do: dropping it here
 * would delete it from the file at the next save. */
static bool aux_value(struct nodesconf *p, struct hs_topo_node *node, char *field)
{
    char *value = strchr(field, '=');
    if (value == NULL)
        return nodesconf_refuse(p, "'%.60s' after the address is not name=value", field);
    *value++ = '\0';
    bool known = true, ok = false;
    if (strcmp(field, "tls-port") == 0) {
        ok = port_value(value, &node->tls_port);
    } else if (strcmp(field, "tcp-port") == 0) {
        ok = port_value(value, &node->port);
    } else if (strcmp(field, "shard-id") == 0) {
        ok = shard_value(value, node->shard_id);
    } else if (strcmp(field, "nodename") == 0) {
        ok = string_value(p, nodesconf_nodename_valid(value), value, &node->nodename);
    } else if (strcmp(field, "client-ipv4") == 0) {
        ok = string_value(p, nodesconf_address_valid(value), value, &node->client_ipv4);
    } else if (strcmp(field, "client-ipv6") == 0) {
        ok = string_value(p, nodesconf_address_valid(value), value, &node->client_ipv6);
    } else {
        known = false;
    }
    if (!known) {
        return nodesconf_refuse(p,
                                "unknown name '%.60s' after the address; a newer server wrote "
                                "this file",
                                field);
    }
    return ok || nodesconf_refuse(p, "bad value for %s: '%.60s'", field, value);
}

static bool tail(struct nodesconf *p, struct hs_topo_node *node, char *text)
{
    char *next = strchr(text, ',');
    if (next != NULL)
        *next++ = '\0';
    if (!string_value(p, nodesconf_hostname_valid(text), text, &node->hostname))
        return nodesconf_refuse(p, "'%.60s' is not a host name", text);
    while (next != NULL) {
        char *field = next;
        next = strchr(field, ',');
        if (next != NULL)
            *next++ = '\0';
        if (!aux_value(p, node, field))
            return false;
    }
    return true;
}

static bool bus_port(const char *text, struct hs_topo_node *node)
{
    if (text != NULL)
        return port_value(text, &node->cport);
    if (node->port > UINT16_MAX - 10000)
        return false;
    node->cport = (uint16_t)(node->port + 10000);
    return true;
}

bool nodesconf_address(struct nodesconf *p, const struct hs_arg *arg, struct hs_topo_node *node)
{
    char text[ADDRESS_MAX];
    if (arg->n >= sizeof(text) || memchr(arg->p, '\0', arg->n) != NULL)
        return nodesconf_refuse(p, "the address field is too long");
    memcpy(text, arg->p, arg->n);
    text[arg->n] = '\0';

    char *rest = strchr(text, ',');
    if (rest != NULL)
        *rest++ = '\0';
    char *cport = strchr(text, '@');
    if (cport != NULL)
        *cport++ = '\0';
    char *port = strrchr(text, ':');
    if (port != NULL)
        *port++ = '\0';
    if (port == NULL || !port_value(port, &node->port) || !bus_port(cport, node) ||
        !nodesconf_address_valid(text)) {
        return nodesconf_refuse(p, "'%.*s' is not an address (ip:port@cport)",
                                nodesconf_clip(arg->n), arg->p);
    }
    memcpy(node->ip, text, strlen(text) + 1); /* fits: the check above saw to it */
    return rest == NULL || tail(p, node, rest);
}
