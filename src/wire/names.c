/* names.c - the words for message types and verdicts that people and metrics see. */
#include "wire_int.h"

const char *hs_wire_type_name(uint16_t type)
{
    static const char *const names[HS_MSG_TYPES] = {
        [HS_MSG_PING] = "ping",
        [HS_MSG_PONG] = "pong",
        [HS_MSG_MEET] = "meet",
        [HS_MSG_FAIL] = "fail",
        [HS_MSG_PUBLISH] = "publish",
        [HS_MSG_AUTH_REQUEST] = "auth-req",
        [HS_MSG_AUTH_ACK] = "auth-ack",
        [HS_MSG_UPDATE] = "update",
        [HS_MSG_MFSTART] = "mfstart",
        [HS_MSG_MODULE] = "module",
        [HS_MSG_PUBLISHSHARD] = "publishshard",
    };

    return type < HS_MSG_TYPES ? names[type] : NULL;
}

const char *hs_wire_err_str(enum hs_wire_err e)
{
    static const char *const names[HS_WIRE_ERRS] = {
        [HS_WIRE_OK] = "ok",
        [HS_WIRE_MORE] = "more",
        [HS_WIRE_SIGNATURE] = "signature",
        [HS_WIRE_SHORT] = "short",
        [HS_WIRE_TOO_LONG] = "too-long",
        [HS_WIRE_VERSION] = "version",
        [HS_WIRE_LIGHT_TYPE] = "light-type",
        [HS_WIRE_LENGTH] = "length",
        [HS_WIRE_COUNT] = "count",
        [HS_WIRE_EXTENSION] = "extension",
        [HS_WIRE_EXT_DATA] = "ext-data",
        [HS_WIRE_PAYLOAD] = "payload",
    };

    return (unsigned)e < HS_WIRE_ERRS ? names[e] : "unknown";
}
