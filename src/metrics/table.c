/* table.c - every metric, declared once: /metrics and docs/metrics.md are both
 * made from these rows.
 *
 * A name that redis_exporter has for a cluster keeps it. Ours begin with
 * hearsay_ and their room. A counter that a room gains needs a row here: a test
 * compares this table with what the rooms count.
 *
 * Length: it is a list, and a list in two places would be two lists.
 */
#include "metrics_int.h"

#include <string.h>

static const struct hs_histogram *pong_time(const struct hs_published *v)
{
    return &v->core_histograms[HS_CORE_PONG_MS];
}

static const struct hs_histogram *agree_time(const struct hs_published *v)
{
    return &v->core_histograms[HS_CORE_AGREE_MS];
}

static const struct hs_histogram *settle_time(const struct hs_published *v)
{
    return &v->owner_histograms[HS_OWNER_SETTLE_MS];
}

static const struct hs_histogram *turn_time(const struct hs_published *v)
{
    return &v->owner_histograms[HS_OWNER_TURN_NS];
}

static const struct hs_histogram *step_time(const struct hs_published *v)
{
    return &v->owner_histograms[HS_OWNER_STEP_NS];
}

static const struct hs_histogram *in_depth(const struct hs_published *v)
{
    return &v->owner_histograms[HS_OWNER_IN_DEPTH];
}

#define VALUE(t, source, n, u, l, k, s, h) \
    { \
        .name = (n), .type = (t), .unit = (u), .label = (l), .from = FROM_##source, .key = (k), \
        .scale = (s), .help = (h) \
    }
#define GAUGE_OF(source, n, u, l, k, s, h) VALUE(GAUGE, source, n, u, l, k, s, h)
#define COUNTER_OF(source, n, u, l, k, s, h) VALUE(COUNTER, source, n, u, l, k, s, h)
#define FAMILY(t, n, f, labels, h) \
    { \
        .name = (n), .type = (t), .unit = "", .label = "", .where = (labels), .put = (f), \
        .help = (h) \
    }
#define DISTRIBUTION(n, u, f, first, last, s, w, h) \
    { \
        .name = (n), .type = HISTOGRAM, .unit = (u), .label = "", .where = (w), .histogram = (f), \
        .bucket_first = (first), .bucket_last = (last), .scale = (s), .help = (h) \
    }

const struct metrics_row metrics_table[] = {
    /* As redis_exporter names them, so that existing boards and alerts go on. */
    GAUGE_OF(PROCESS, "redis_up", "", "", "this process answers", 0,
             "Always 1: no exporter stands between the server and the scraper."),
    FAMILY(GAUGE, "redis_instance_info", metrics_put_instance, "role, redis_version, ...",
           "What this server says it is; always 1."),
    GAUGE_OF(PROCESS, "redis_uptime_in_seconds", "seconds", "", "uptime_in_seconds", 0,
             "How long this process has been running."),
    GAUGE_OF(PROCESS, "redis_start_time_seconds", "seconds", "", "time of the start", 1e-3,
             "When this process started, as Unix time."),
    GAUGE_OF(CLUSTER, "redis_cluster_state", "", "", "cluster_state", 0,
             "1 if the cluster serves as seen from here, 0 if it is down."),
    GAUGE_OF(CLUSTER, "redis_cluster_slots_assigned", "", "", "cluster_slots_assigned", 0,
             "Slots that have an owner, of 16384."),
    GAUGE_OF(CLUSTER, "redis_cluster_slots_ok", "", "", "cluster_slots_ok", 0,
             "Slots whose owner is neither suspected nor failed."),
    GAUGE_OF(CLUSTER, "redis_cluster_slots_pfail", "", "", "cluster_slots_pfail", 0,
             "Slots whose owner does not answer this node."),
    GAUGE_OF(CLUSTER, "redis_cluster_slots_fail", "", "", "cluster_slots_fail", 0,
             "Slots whose owner the cluster agrees is down."),
    GAUGE_OF(CLUSTER, "redis_cluster_known_nodes", "", "", "cluster_known_nodes", 0,
             "Nodes in this node's table, itself and handshakes included."),
    GAUGE_OF(CLUSTER, "redis_cluster_size", "", "", "cluster_size", 0,
             "Masters that own slots: those whose majority decides."),
    GAUGE_OF(CLUSTER, "redis_cluster_current_epoch", "", "", "cluster_current_epoch", 0,
             "The largest epoch heard of."),
    GAUGE_OF(CLUSTER, "redis_cluster_my_epoch", "", "", "cluster_my_epoch", 0,
             "The epoch of this node's slots, or of its master's."),
    COUNTER_OF(CLUSTER, "redis_cluster_messages_sent_total", "", "", "cluster_stats_messages_sent",
               0, "Messages sent over the cluster bus."),
    COUNTER_OF(CLUSTER, "redis_cluster_messages_received_total", "", "",
               "cluster_stats_messages_received", 0, "Messages received over the cluster bus."),
    GAUGE_OF(CLUSTER, "redis_cluster_connections", "", "", "cluster_connections", 0,
             "Bus links that are up, both directions counted."),
    GAUGE_OF(CLIENTS, "redis_connected_clients", "", "", "connected_clients", 0,
             "Clients connected now."),
    GAUGE_OF(PROCESS, "redis_max_clients", "", "", "maxclients", 0,
             "How many clients may be connected at once."),
    COUNTER_OF(CLIENTS, "redis_connections_received_total", "", "", "total_connections_received", 0,
               "Client connections accepted."),
    COUNTER_OF(NET, "redis_rejected_connections_total", "", "", "clients_refused", 0,
               "Clients sent away since maxclients were connected."),
    COUNTER_OF(CLIENTS, "redis_commands_processed_total", "", "", "total_commands_processed", 0,
               "Commands carried out for clients."),
    COUNTER_OF(CLIENTS, "redis_net_input_bytes_total", "bytes", "", "total_net_input_bytes", 0,
               "Bytes received from clients."),
    GAUGE_OF(CLIENTS, "redis_pubsub_channels", "", "", "pubsub_channels", 0,
             "Channels with a subscriber here."),
    GAUGE_OF(CLIENTS, "redis_pubsub_patterns", "", "", "pubsub_patterns", 0,
             "Patterns with a subscriber here."),
    GAUGE_OF(CLIENTS, "redis_pubsubshard_channels", "", "", "pubsubshard_channels", 0,
             "Shard channels with a subscriber here."),
    GAUGE_OF(CLIENTS, "redis_memory_used_bytes", "bytes", "", "used_memory_rss", 0,
             "Memory this process has in use, as the kernel counts it."),
    GAUGE_OF(CLIENTS, "redis_memory_used_rss_bytes", "bytes", "", "used_memory_rss", 0,
             "The same: there is no store whose memory would be counted apart."),
    GAUGE_OF(CLIENTS, "redis_memory_used_peak_bytes", "bytes", "", "used_memory_peak", 0,
             "The most memory this process has had in use."),
    COUNTER_OF(CLIENTS, "redis_cpu_sys_seconds_total", "seconds", "", "used_cpu_sys", 1e-6,
               "Processor time spent in the kernel."),
    COUNTER_OF(CLIENTS, "redis_cpu_user_seconds_total", "seconds", "", "used_cpu_user", 1e-6,
               "Processor time spent in the program."),

    /* The node. */
    FAMILY(GAUGE, "hearsay_build_info", metrics_put_build, "version", "The version; always 1."),
    FAMILY(GAUGE, "hearsay_node_info", metrics_put_node, "id, shard_id, role, nodename, hostname",
           "Who this node is; always 1."),
    GAUGE_OF(PROCESS, "hearsay_view_age_seconds", "seconds", "", "age of the published view", 1e-3,
             "How old the view is that readers see; grows when the owner thread stands still."),
    COUNTER_OF(CLUSTER, "hearsay_view_changes_total", "", "", "version of the view", 0,
               "Changes of the view, times of pings not counted."),
    COUNTER_OF(CORE, "hearsay_core_resumed_total", "", "", "resumed", 0,
               "Times this process had not been running for a while (paused, swapped, a host that "
               "sleeps)."),
    GAUGE_OF(PROCESS, "hearsay_tls_certificate_end_seconds", "seconds", "",
             "end of the TLS certificate", 0,
             "When the first of this node's certificates ends, as Unix time; 0 without TLS."),

    /* The cluster, as seen from here. */
    FAMILY(GAUGE, "hearsay_nodes", metrics_put_nodes, "state",
           "Known nodes by the worst state they are in."),
    GAUGE_OF(CLUSTER, "hearsay_last_vote_epoch", "", "", "lastVoteEpoch of nodes.conf", 0,
             "The epoch of this node's last vote."),
    GAUGE_OF(CLUSTER, "hearsay_slots_migrating", "", "", "[slot->-node] of CLUSTER NODES", 0,
             "Slots of this node on their way to another."),
    GAUGE_OF(CLUSTER, "hearsay_slots_importing", "", "", "[slot-<-node] of CLUSTER NODES", 0,
             "Slots on their way to this node."),

    /* What should not be, as the watch finds it: +split, +foreign, +one-way and so on. */
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"split\"", "split_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"equal_epochs\"", "equal_epochs_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"sub_replica\"", "sub_replica_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"foreign\"", "foreign_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"twin\"", "twin_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"one_way\"", "one_way_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"tls_refused\"", "tls_refused_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"disk\"", "disk_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"certificate_ends\"", "certificate_ends_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    GAUGE_OF(WATCH, "hearsay_condition", "", "kind=\"certificate_expired\"",
             "certificate_expired_now", 0,
             "Conditions of that kind that hold now; HEARSAY WHY and the log name the nodes."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"split\"", "split", 0,
               "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"equal_epochs\"", "equal_epochs", 0,
               "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"sub_replica\"", "sub_replica", 0,
               "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"foreign\"", "foreign", 0,
               "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"twin\"", "twin", 0,
               "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"one_way\"", "one_way", 0,
               "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"tls_refused\"", "tls_refused", 0,
               "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"disk\"", "disk", 0,
               "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"certificate_ends\"",
               "certificate_ends", 0, "Conditions of that kind that began."),
    COUNTER_OF(WATCH, "hearsay_conditions_total", "", "kind=\"certificate_expired\"",
               "certificate_expired", 0, "Conditions of that kind that began."),

    /* The watch and its events. */
    COUNTER_OF(WATCH, "hearsay_watch_looks_total", "", "", "looks", 0,
               "Views compared with the one before."),
    GAUGE_OF(WATCH, "hearsay_watch_look_max_seconds", "seconds", "", "look_ms_max", 1e-3,
             "The longest time one look took."),
    COUNTER_OF(WATCH, "hearsay_watch_events_total", "", "", "events", 0, "Events told."),
    COUNTER_OF(WATCH, "hearsay_watch_conditions_refused_total", "", "", "conditions_refused", 0,
               "Conditions not told: too many at one time."),
    COUNTER_OF(WATCH, "hearsay_watch_no_memory_total", "", "", "no_memory", 0,
               "Looks not taken for want of memory."),
    COUNTER_OF(WATCH, "hearsay_watch_lines_dropped_total", "", "", "lines_dropped", 0,
               "Log lines about events left out by their limit; the events were told."),
    COUNTER_OF(WATCH, "hearsay_watch_script_runs_total", "", "", "script_runs", 0,
               "Runs of notification-script begun."),
    COUNTER_OF(WATCH, "hearsay_watch_script_ok_total", "", "", "script_ok", 0,
               "Runs that ended well."),
    COUNTER_OF(WATCH, "hearsay_watch_script_retries_total", "", "", "script_retries", 0,
               "Runs that asked to be tried again."),
    COUNTER_OF(WATCH, "hearsay_watch_script_failures_total", "", "", "script_failures", 0,
               "Events given up: the script failed, or too many tries."),
    COUNTER_OF(WATCH, "hearsay_watch_script_killed_total", "", "", "script_killed", 0,
               "Runs ended at their time limit."),
    COUNTER_OF(WATCH, "hearsay_watch_script_dropped_total", "", "", "script_dropped", 0,
               "Events that found no room in the script's queue."),
    GAUGE_OF(WATCH, "hearsay_watch_script_running", "", "", "script_running_now", 0,
             "Runs under way."),
    COUNTER_OF(CLIENTS, "hearsay_admin_events_lost_total", "", "", "admin_events_lost", 0,
               "Events that clients missed, since they read too slowly."),
    COUNTER_OF(CLIENTS, "hearsay_admin_events_forged_total", "", "", "admin_events_forged", 0,
               "Messages of peers to the channel of events, not delivered."),

    /* Time. */
    DISTRIBUTION("hearsay_pong_seconds", "seconds", pong_time, 0, 16, 1e-3, "core",
                 "From the first unanswered PING to its PONG, in steps of a millisecond."),
    DISTRIBUTION("hearsay_failure_agreement_seconds", "seconds", agree_time, 4, 18, 1e-3, "core",
                 "From this node's suspicion to the verdict FAIL."),
    DISTRIBUTION("hearsay_view_settle_seconds", "seconds", settle_time, 4, 20, 1e-3, "owner",
                 "Convergence: from the first to the last change of the view in a burst; two quiet "
                 "seconds end one."),
    DISTRIBUTION("hearsay_owner_turn_seconds", "seconds", turn_time, 10, 31, 1e-9, "owner",
                 "One turn of the owner's loop, its sleep not counted."),
    DISTRIBUTION("hearsay_owner_step_seconds", "seconds", step_time, 6, 30, 1e-9, "owner",
                 "One event through the core, and the actions it asked for."),
    DISTRIBUTION("hearsay_owner_in_depth", "entries", in_depth, 0, 12, 1, "owner",
                 "Entries found waiting in a reactor's ring, per turn."),

    /* The disk. */
    COUNTER_OF(PROCESS, "hearsay_save_failures_total", "", "", "hearsay_save_failures", 0,
               "Saves of the cluster configuration file that failed."),
    GAUGE_OF(
        PROCESS, "hearsay_save_failing", "", "", "hearsay_save_error", 0,
        "1 while the last save failed: votes and epochs wait. INFO persistence has the reason."),
    GAUGE_OF(PROCESS, "hearsay_save_wait_seconds", "seconds", "", "time at the same save", 1e-3,
             "How long the disk has been at the save it is doing; 0 if it does none."),
    COUNTER_OF(CORE, "hearsay_core_saves_total", "", "", "saves", 0, "Saves asked for."),
    COUNTER_OF(CORE, "hearsay_core_sync_saves_total", "", "", "saves_sync", 0,
               "Those of them that messages waited for."),

    /* Messages. */
    FAMILY(COUNTER, "hearsay_messages_sent_total", metrics_put_messages_sent, "type",
           "Messages sent over the cluster bus, by type."),
    FAMILY(COUNTER, "hearsay_messages_received_total", metrics_put_messages_received, "type",
           "Messages received over the cluster bus, by type."),
    COUNTER_OF(CORE, "hearsay_core_steps_total", "", "", "steps", 0,
               "Events that went through the core."),
    COUNTER_OF(CORE, "hearsay_core_stale_links_total", "", "", "stale_links", 0,
               "Events of connections that had been let go."),
    COUNTER_OF(CORE, "hearsay_core_unknown_sender_total", "", "", "unknown_sender", 0,
               "Frames ignored since their sender is no member."),
    COUNTER_OF(CORE, "hearsay_core_strangers_total", "", "", "strangers", 0,
               "Senders noticed that are no members."),
    COUNTER_OF(CORE, "hearsay_core_strangers_replaced_total", "", "", "strangers_replaced", 0,
               "Of these, forgotten again for want of room."),
    COUNTER_OF(CORE, "hearsay_core_unknown_type_total", "", "", "unknown_type", 0,
               "Frames of a type this version does not know."),
    COUNTER_OF(CORE, "hearsay_core_light_unbound_total", "", "", "light_unbound", 0,
               "Links closed for a light frame from nobody known."),
    COUNTER_OF(CORE, "hearsay_core_module_ignored_total", "", "", "module_ignored", 0,
               "Messages of modules, which have no receiver here."),
    COUNTER_OF(CORE, "hearsay_core_filtered_total", "", "", "filtered", 0,
               "Frames dropped because DEBUG said so."),
    COUNTER_OF(CORE, "hearsay_core_gossip_entries_total", "", "", "gossip_entries", 0,
               "Gossip entries read."),
    COUNTER_OF(CORE, "hearsay_core_gossip_skipped_total", "", "", "gossip_skipped", 0,
               "Gossip sections skipped for an invalid node id."),
    COUNTER_OF(CORE, "hearsay_core_gossip_refused_total", "", "", "gossip_refused", 0,
               "Gossip entries with an unusable address."),
    COUNTER_OF(CORE, "hearsay_core_gossip_cut_total", "", "", "gossip_cut", 0,
               "Gossip entries not read, beyond cluster-nodes-max in one message."),
    COUNTER_OF(CORE, "hearsay_core_pings_delayed_total", "", "", "pings_delayed", 0,
               "Pings put off to a later tick, so that they do not leave in waves."),
    COUNTER_OF(CORE, "hearsay_core_updates_sent_total", "", "", "updates_sent", 0,
               "UPDATE messages to nodes with an old view of a slot."),
    COUNTER_OF(CORE, "hearsay_core_notes_dropped_total", "", "", "notes_dropped", 0,
               "Notes left out since one step had too many."),

    /* Membership and links. */
    COUNTER_OF(CORE, "hearsay_core_nodes_added_total", "", "", "nodes_added", 0,
               "Nodes added to the table."),
    COUNTER_OF(CORE, "hearsay_core_nodes_removed_total", "", "", "nodes_removed", 0,
               "Nodes removed from the table."),
    COUNTER_OF(CORE, "hearsay_core_table_full_total", "", "", "table_full", 0,
               "Nodes not added: cluster-nodes-max are known."),
    COUNTER_OF(CORE, "hearsay_core_handshakes_total", "", "", "handshakes", 0, "Handshakes begun."),
    COUNTER_OF(CORE, "hearsay_core_handshakes_refused_total", "", "", "handshakes_refused", 0,
               "Handshakes refused: too many at once, or one under way."),
    COUNTER_OF(CORE, "hearsay_core_handshake_timeouts_total", "", "", "handshake_timeouts", 0,
               "Handshakes given up."),
    COUNTER_OF(CORE, "hearsay_core_id_mismatch_total", "", "", "id_mismatch", 0,
               "Answers from another node than the address was known for."),
    COUNTER_OF(CORE, "hearsay_core_blacklist_full_total", "", "", "blacklist_full", 0,
               "Forgotten nodes that may come back early, for want of room."),
    COUNTER_OF(CORE, "hearsay_core_dials_total", "", "", "dials", 0, "Connections asked for."),
    COUNTER_OF(CORE, "hearsay_core_dials_failed_total", "", "", "dials_failed", 0,
               "Connections that did not come about."),
    COUNTER_OF(CORE, "hearsay_core_links_reset_total", "", "", "links_reset", 0,
               "Links to nodes closed for their silence, to try a new one."),
    COUNTER_OF(CORE, "hearsay_core_links_replaced_total", "", "", "links_replaced", 0,
               "Links from nodes closed for a newer one."),

    /* Failures, slots and epochs. */
    COUNTER_OF(CORE, "hearsay_core_pfail_total", "", "", "pfail", 0,
               "Nodes this node began to suspect."),
    COUNTER_OF(CORE, "hearsay_core_pfail_cleared_total", "", "", "pfail_cleared", 0,
               "Suspicions that ended with an answer."),
    COUNTER_OF(CORE, "hearsay_core_fail_total", "", "", "fail", 0, "Nodes marked as failed."),
    COUNTER_OF(CORE, "hearsay_core_fail_cleared_total", "", "", "fail_cleared", 0,
               "Failed nodes that are reachable again."),
    COUNTER_OF(CORE, "hearsay_core_reports_added_total", "", "", "reports_added", 0,
               "Failure reports of other masters taken in."),
    COUNTER_OF(CORE, "hearsay_core_reports_refused_total", "", "", "reports_refused", 0,
               "Failure reports not kept: too many suspects at once."),
    COUNTER_OF(CORE, "hearsay_core_claims_unchanged_total", "", "", "claims_unchanged", 0,
               "Slot claims found equal to the last one."),
    COUNTER_OF(CORE, "hearsay_core_claims_walked_total", "", "", "claims_walked", 0,
               "Slot claims compared slot by slot."),
    COUNTER_OF(CORE, "hearsay_core_slots_won_total", "", "", "slots_won", 0,
               "Slots given to another owner, since it claimed them with a larger epoch."),
    COUNTER_OF(CORE, "hearsay_core_epochs_refused_total", "", "", "epochs_refused", 0,
               "Epochs ignored for being absurdly large."),
    COUNTER_OF(CORE, "hearsay_core_collisions_total", "", "", "collisions", 0,
               "Masters met with this node's own epoch: one of the two takes a new one."),
    COUNTER_OF(CORE, "hearsay_core_votes_granted_total", "", "", "votes_granted", 0,
               "Votes given to a replica."),
    COUNTER_OF(CORE, "hearsay_core_votes_refused_total", "", "", "votes_refused", 0,
               "Votes refused to a replica; the log has the reason."),

    /* The network. */
    COUNTER_OF(NET, "hearsay_net_accepted_total", "", "", "accepted", 0,
               "Connections accepted, bus and clients."),
    COUNTER_OF(NET, "hearsay_net_accept_errors_total", "", "", "accept_errors", 0,
               "Times the kernel gave no connection (out of descriptors, for one)."),
    COUNTER_OF(NET, "hearsay_net_dialed_total", "", "", "dialed", 0,
               "Links to other nodes that came up."),
    COUNTER_OF(NET, "hearsay_net_dial_failed_total", "", "", "dial_failed", 0,
               "Links to other nodes that did not."),
    COUNTER_OF(NET, "hearsay_net_closed_total", "", "", "closed", 0,
               "Connections closed, for whatever reason."),
    COUNTER_OF(NET, "hearsay_net_frames_total", "", "", "frames", 0,
               "Whole and well-formed frames handed to the owner."),
    COUNTER_OF(NET, "hearsay_net_received_bytes_total", "bytes", "", "bytes_in", 0,
               "Bytes received, bus and clients."),
    COUNTER_OF(NET, "hearsay_net_sent_bytes_total", "bytes", "", "bytes_out", 0,
               "Bytes sent, bus and clients."),
    COUNTER_OF(NET, "hearsay_net_parked_total", "", "", "parked", 0,
               "Times a link was not read, since the owner or memory was behind."),
    COUNTER_OF(NET, "hearsay_net_receive_buffers_empty_total", "", "", "enobufs", 0,
               "Receives that ended for want of a buffer."),
    COUNTER_OF(NET, "hearsay_net_receives_rearmed_total", "", "", "rearmed", 0,
               "Receives started again."),
    COUNTER_OF(NET, "hearsay_net_links_over_limit_total", "", "", "links_over_limit", 0,
               "Links closed for cluster-link-sendbuf-limit."),
    COUNTER_OF(NET, "hearsay_net_links_stalled_total", "", "", "links_stalled", 0,
               "Links closed since the peer took nothing."),
    COUNTER_OF(NET, "hearsay_net_links_slow_frame_total", "", "", "links_slow_frame", 0,
               "Links closed since a frame took too long to arrive."),
    COUNTER_OF(NET, "hearsay_net_links_evicted_total", "", "", "links_evicted", 0,
               "Links closed since an unfinished frame held memory that was needed."),
    COUNTER_OF(NET, "hearsay_net_connections_refused_total", "", "", "conns_refused", 0,
               "Connections closed at once: no place left."),
    COUNTER_OF(NET, "hearsay_net_connections_gone_total", "", "", "conns_gone", 0,
               "Connections that were reset before anybody looked at them."),
    COUNTER_OF(NET, "hearsay_net_connections_silent_total", "", "", "conns_silent", 0,
               "Connections closed to make room: they had never sent a frame."),
    COUNTER_OF(NET, "hearsay_net_per_address_refused_total", "", "kind=\"client\"",
               "clients_per_ip", 0,
               "Connections closed at once: their address had its share already."),
    COUNTER_OF(NET, "hearsay_net_per_address_refused_total", "", "kind=\"link\"", "links_per_ip", 0,
               "Connections closed at once: their address had its share already."),
    COUNTER_OF(NET, "hearsay_net_clients_idle_total", "", "", "clients_idle", 0,
               "Clients closed after 'timeout'."),
    COUNTER_OF(NET, "hearsay_net_clients_over_limit_total", "", "", "clients_over", 0,
               "Clients closed: too many bytes of replies waited for them."),
    COUNTER_OF(NET, "hearsay_net_clients_slow_total", "", "", "clients_slow", 0,
               "Subscribers closed: they left too much unread."),
    COUNTER_OF(NET, "hearsay_net_pubsub_dropped_total", "", "", "pubsub_dropped", 0,
               "Published messages not sent over a link that had too many waiting."),
    COUNTER_OF(NET, "hearsay_net_sends_stale_total", "", "", "sends_stale", 0,
               "Things to send for a connection that is gone."),
    COUNTER_OF(NET, "hearsay_net_submission_queue_full_total", "", "", "sqe_full", 0,
               "Times io_uring's submission queue was full."),
    COUNTER_OF(NET, "hearsay_net_completion_overflow_total", "", "", "cq_overflow", 0,
               "Times the kernel had to keep completions back."),
    COUNTER_OF(NET, "hearsay_net_submit_errors_total", "", "", "submit_errors", 0,
               "Times io_uring refused a submission for another reason."),
    COUNTER_OF(NET, "hearsay_net_tls_handshakes_total", "", "", "tls_handshakes", 0,
               "TLS handshakes completed."),
    COUNTER_OF(NET, "hearsay_net_tls_failed_total", "", "", "tls_failed", 0,
               "TLS connections closed: no or a bad certificate, no TLS, damaged bytes."),
    COUNTER_OF(NET, "hearsay_net_tls_slow_total", "", "", "tls_slow", 0,
               "TLS connections closed since the handshake took too long."),
    COUNTER_OF(NET, "hearsay_net_tls_long_total", "", "", "tls_long", 0,
               "TLS connections closed since the handshake had too many bytes."),
    COUNTER_OF(NET, "hearsay_net_tls_evicted_total", "", "", "tls_evicted", 0,
               "TLS handshakes closed to make room for a newcomer."),
    COUNTER_OF(NET, "hearsay_net_tls_refused_total", "", "", "tls_refused", 0,
               "TLS connections closed: too many handshakes, or no memory."),
    COUNTER_OF(NET, "hearsay_net_tls_not_sender_total", "", "", "tls_not_sender", 0,
               "Bus links closed: the certificate names another node than the frame."),
    GAUGE_OF(NET, "hearsay_net_frame_bytes", "bytes", "", "frame_bytes_now", 0,
             "Memory in received frames, here and with the owner."),
    GAUGE_OF(NET, "hearsay_net_unsent_bytes", "bytes", "", "unsent_now", 0,
             "Bytes that wait to be sent on bus links."),
    GAUGE_OF(NET, "hearsay_net_links", "", "", "buses_now", 0, "Bus links open now."),
    GAUGE_OF(NET, "hearsay_net_clients", "", "", "clients_now", 0, "Client connections open now."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"ok\"", "wire_ok", 0,
               "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"more\"", "wire_more", 0,
               "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"signature\"",
               "wire_signature", 0,
               "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"short\"", "wire_short", 0,
               "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"too_long\"", "wire_too_long",
               0, "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"version\"", "wire_version",
               0, "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"light_type\"",
               "wire_light_type", 0,
               "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"length\"", "wire_length", 0,
               "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"count\"", "wire_count", 0,
               "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"extension\"",
               "wire_extension", 0,
               "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"ext_data\"", "wire_ext_data",
               0, "Frames looked at, by verdict: all but ok and more were refused."),
    COUNTER_OF(NET, "hearsay_net_frames_checked_total", "", "verdict=\"payload\"", "wire_payload",
               0, "Frames looked at, by verdict: all but ok and more were refused."),

    /* The owner thread. */
    COUNTER_OF(OWNER, "hearsay_owner_turns_total", "", "", "batches", 0, "Turns of the loop."),
    COUNTER_OF(OWNER, "hearsay_owner_steps_total", "", "", "steps", 0,
               "Events handed to the core."),
    GAUGE_OF(OWNER, "hearsay_owner_step_max_seconds", "seconds", "", "step_ns_max", 1e-9,
             "The longest step since the start."),
    GAUGE_OF(OWNER, "hearsay_owner_in_depth_max", "", "", "in_depth_max", 0,
             "The most entries found waiting in a reactor's ring."),
    COUNTER_OF(OWNER, "hearsay_owner_chunk_waits_total", "", "", "chunk_waits", 0,
               "Times events had to wait for memory to answer into."),
    COUNTER_OF(OWNER, "hearsay_owner_overflows_total", "", "", "overflows", 0,
               "Links closed because their reactor took no more."),
    COUNTER_OF(OWNER, "hearsay_owner_refusals_total", "", "", "refusals", 0,
               "Connections given up for the same reason."),
    COUNTER_OF(OWNER, "hearsay_owner_bus_denied_total", "", "", "bus_denied", 0,
               "Bus connections from addresses that bus-allow does not name."),
    COUNTER_OF(OWNER, "hearsay_owner_publications_total", "", "", "publications", 0,
               "Views published for readers."),
    GAUGE_OF(OWNER, "hearsay_owner_publish_max_seconds", "seconds", "", "publish_ns_max", 1e-9,
             "The longest time one publication took."),
    COUNTER_OF(OWNER, "hearsay_owner_no_memory_total", "", "", "no_memory", 0,
               "Views or saves put off for want of memory."),
    COUNTER_OF(OWNER, "hearsay_owner_boards_busy_total", "", "", "boards_busy", 0,
               "Turns in which gossip was copied, since all frozen copies of it were being sent."),
    COUNTER_OF(OWNER, "hearsay_owner_publishes_held_total", "", "", "publishes_held", 0,
               "PUBLISH commands that had to wait for memory."),
    COUNTER_OF(OWNER, "hearsay_owner_publishes_lost_total", "", "", "publishes_lost", 0,
               "Published messages lost, since a reactor took no more."),

    /* Clients and the log. */
    FAMILY(COUNTER, "hearsay_error_replies_total", metrics_put_errors, "code",
           "Error replies to clients, by their first word."),
    COUNTER_OF(CLIENTS, "hearsay_admin_renders_total", "", "", "admin_renders", 0,
               "Replies formatted anew; all others were sent from the same bytes."),
    GAUGE_OF(CLIENTS, "hearsay_admin_pinned_bytes", "bytes", "", "admin_pinned_bytes", 0,
             "Memory of outdated replies that slow clients have not read yet."),
    COUNTER_OF(CLIENTS, "hearsay_admin_readers_cut_total", "", "", "admin_readers_cut", 0,
               "Clients closed since they kept too old a reply in memory."),
    COUNTER_OF(OWNER, "hearsay_log_lines_dropped_total", "", "", "notes_dropped", 0,
               "Log lines about nodes left out by their limit."),
};

const uint32_t metrics_table_n = sizeof(metrics_table) / sizeof(metrics_table[0]);

bool metrics_row_is_first(uint32_t i)
{
    HS_ASSERT(i < metrics_table_n);
    return i == 0 || strcmp(metrics_table[i].name, metrics_table[i - 1].name) != 0;
}
