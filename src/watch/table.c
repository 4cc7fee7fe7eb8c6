/* table.c - every event, once: from these rows come the names on the channels,
 * the check of each line's keys, and the table in docs/events.md.
 *
 * Urgent are those that ask for a person, or tell that one need not come.
 */
#include "watch_int.h"

#include <string.h>

#define ABOUT "node name address role " /* what every line about a node begins with */

static const struct hs_told_row rows[HS_TOLD_KINDS] = {
    [HS_TOLD_NODE] = {"+node", ABOUT "master", false, "A node became a member."},
    [HS_TOLD_NODE_GONE] = {"-node", ABOUT "master slots", false,
                           "A node is no member any more: forgotten here or by a peer's word."},
    [HS_TOLD_PFAIL] = {"+pfail", ABOUT "slots silent_ms", true,
                       "This node suspects it: it does not answer."},
    [HS_TOLD_PFAIL_OVER] = {"-pfail", ABOUT "slots after_ms", true, "It answered again."},
    [HS_TOLD_FAIL] = {"+fail", ABOUT "slots reports quorum", true,
                      "A majority of the masters agree that it is down."},
    [HS_TOLD_FAIL_OVER] = {"-fail", ABOUT "slots after_ms", true, "The verdict was lifted."},
    [HS_TOLD_SWITCH_MASTER] = {"+switch-master",
                               ABOUT "old old_address new new_address slots epoch", true,
                               "A replica took its master's place, and so many of its slots."},
    [HS_TOLD_ROLE] = {"+role", ABOUT "old new old_master new_master", false,
                      "Master or replica, or the replica of another master."},
    [HS_TOLD_SLOTS] = {"+slots", "old old_name new new_name slots n", false,
                       "Slots changed hands; '-' is nobody."},
    [HS_TOLD_EPOCH] = {"+epoch", ABOUT "old new", false, "A node's config epoch."},
    [HS_TOLD_STATE] = {"+state", "old new slots_ok slots_pfail slots_fail size", true,
                       "The cluster as seen from here: ok or fail."},
    [HS_TOLD_ADDRESS] = {"+address", ABOUT "old new", false, "Where a node is to be found."},
    [HS_TOLD_NAME] = {"+name", ABOUT "old new old_hostname new_hostname", false,
                      "What a node calls itself."},
    [HS_TOLD_LINK] = {"+link", ABOUT "direction", false,
                      "A connection came up: 'to' is ours to the node, 'from' is its own."},
    [HS_TOLD_LINK_OVER] = {"-link", ABOUT "direction after_ms", false, "It is gone."},
    [HS_TOLD_VOTE] = {"+vote", "old new", false, "This node voted, in the new epoch."},
    [HS_TOLD_LOST] = {"+lost", "n", true,
                      "So many events were not told to this listener, who was too slow."},
    [HS_TOLD_SPLIT] = {"+split", ABOUT "other other_name slot epoch", true,
                       "It claims a slot that another has, with the same epoch: their keys are "
                       "written in two places."},
    [HS_TOLD_SPLIT_OVER] = {"-split", ABOUT "other other_name slot epoch lasted_ms", true,
                            "No longer."},
    [HS_TOLD_EQUAL_EPOCHS] = {"+equal-epochs", ABOUT "other other_name epoch", true,
                              "Masters have the same config epoch, and do not settle it."},
    [HS_TOLD_EQUAL_EPOCHS_OVER] = {"-equal-epochs", ABOUT "other other_name epoch lasted_ms", true,
                                   "No longer."},
    [HS_TOLD_SUB_REPLICA] = {"+sub-replica", ABOUT "master above", true,
                             "A replica follows a replica, and stays so."},
    [HS_TOLD_SUB_REPLICA_OVER] = {"-sub-replica", ABOUT "master above lasted_ms", true,
                                  "No longer."},
    [HS_TOLD_FOREIGN] = {"+foreign", "sender ip frames", true,
                         "Somebody who is no member keeps talking to this node."},
    [HS_TOLD_FOREIGN_OVER] = {"-foreign", "sender ip frames lasted_ms", true,
                              "It is silent, or a member now."},
    [HS_TOLD_TWIN] = {"+twin", ABOUT "other other_name why", true,
                      "Two nodes at one address, or one id in two places."},
    [HS_TOLD_TWIN_OVER] = {"-twin", ABOUT "other other_name why lasted_ms", true, "No longer."},
    [HS_TOLD_ONE_WAY] = {"+one-way", ABOUT "direction silent_ms", true,
                         "Heard in one direction only: 'to' fails if this node does not reach it, "
                         "'from' if it does not reach this node: it has no connection to it."},
    [HS_TOLD_ONE_WAY_OVER] = {"-one-way", ABOUT "direction silent_ms lasted_ms", true,
                              "Heard in both again, or in none."},
    [HS_TOLD_TLS_REFUSED] = {"+tls-refused", ABOUT "direction reason", true,
                             "TLS with it fails again and again: 'to' when we dial it, 'from' when "
                             "it dials us."},
    [HS_TOLD_TLS_REFUSED_OVER] = {"-tls-refused", ABOUT "direction reason lasted_ms", true,
                                  "It has not failed for a while."},
    [HS_TOLD_DISK] = {"+disk", "error failures", true,
                      "nodes.conf cannot be saved: votes and epochs wait for it."},
    [HS_TOLD_DISK_OVER] = {"-disk", "error failures lasted_ms", true, "It was saved again."},
    [HS_TOLD_CERTIFICATE_ENDS] = {"+certificate-ends", "ends_in_s", true,
                                  "A certificate of this node ends within a week."},
    [HS_TOLD_CERTIFICATE_ENDS_OVER] = {"-certificate-ends", "ends_in_s lasted_ms", true,
                                       "Another is in force, or it has expired."},
    [HS_TOLD_CERTIFICATE_EXPIRED] = {"+certificate-expired", "ends_in_s", true,
                                     "A certificate of this node has expired: peers and clients "
                                     "that check it will not connect any more."},
    [HS_TOLD_CERTIFICATE_EXPIRED_OVER] = {"-certificate-expired", "ends_in_s lasted_ms", true,
                                          "Another is in force."},
};

const struct hs_told_row *hs_told_row(enum hs_told_kind kind)
{
    HS_ASSERT(kind < HS_TOLD_KINDS);
    return &rows[kind];
}

bool watch_has_field(enum hs_told_kind kind, const char *key)
{
    size_t n = strlen(key);
    for (const char *p = rows[kind].fields; *p != '\0';) {
        size_t len = strcspn(p, " ");
        if (len == n && memcmp(p, key, n) == 0)
            return true;
        p += len + (p[len] == ' ');
    }
    return false;
}
