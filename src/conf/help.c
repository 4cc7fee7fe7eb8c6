/* --help and --version: the table, for people. */
#include "conf_int.h"

#include <stdio.h>

static const char *const titles[CONF_GROUPS] = {
    [CONF_LISTEN] = "Listening",    [CONF_CLIENTS] = "Clients", [CONF_PROCESS] = "The process",
    [CONF_CLUSTER] = "The cluster", [CONF_TLS] = "TLS",         [CONF_OURS] = "hearsay's own",
};

static void print_row(const struct conf_row *row)
{
    char range[160];
    conf_value_range(row, range, sizeof(range));
    const char *unit = row->unit[0] == '\0' ? "" : " ";
    printf("  --%s  [%s%s%s; default %s%s]\n", row->name, range, unit, row->unit,
           row->initial[0] == '\0' ? "none" : row->initial, row->live ? "; live" : "");
    printf("        %s\n", row->help);
    if (row->alias != NULL)
        printf("        Also called %s.\n", row->alias);
}

void hs_conf_print_help(void)
{
    printf("usage: hearsayd [CONFIG_FILE] [--directive value ...]\n\n"
           "Runs one node of a Redis or Valkey cluster's bus. CONFIG_FILE is a redis.conf, '-'\n"
           "reads it from standard input, and the command line wins over it. Directives of a\n"
           "data store (save, maxmemory, ...) are accepted and ignored.\n\n"
           "  --help               this text\n"
           "  --version            version and compatibility\n"
           "  --check-config       check the configuration, then exit\n"
           "  --explain --nodes N  print what this configuration costs in a cluster of N nodes\n");
    for (enum conf_group g = 0; g < CONF_GROUPS; g++) {
        printf("\n%s (live: CONFIG SET may change it):\n", titles[g]);
        for (uint32_t i = 0; i < conf_table_n; i++) {
            if (conf_table[i].group == g)
                print_row(&conf_table[i]);
        }
    }
}

void hs_conf_print_version(void)
{
    printf("hearsayd %s (cluster bus of Redis 4.0 to 7.4 and Valkey 8)\n", HS_VERSION);
}
