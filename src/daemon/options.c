/* options.c - the command line: run, or print something and go. */
#include "daemon_int.h"

#include <stdio.h>
#include <unistd.h>

/* A start loads them too, but once it has a log. */
static int check_keys(const struct daemon *d)
{
    char why[1024];
    if (!hs_conf_has_tls(&d->conf))
        return DAEMON_OK;
    struct hs_tls_keys *keys = hs_tls_load(&d->conf, why, sizeof(why));
    if (keys == NULL)
        fprintf(stderr, "hearsayd: TLS cannot be set up: %s.\n", why);
    else if (hs_tls_keys_warning(keys)[0] != '\0')
        fprintf(stderr, "hearsayd: %s.\n", hs_tls_keys_warning(keys));
    hs_tls_keys_free(keys);
    return keys == NULL ? DAEMON_BAD_CONF : DAEMON_OK;
}

static int load(struct daemon *d, int argc, char **argv)
{
    hs_conf_defaults(&d->conf);
    if (hs_conf_load(&d->conf, argc, argv, &d->loaded) != 0) {
        fprintf(stderr, "hearsayd: %s\n", d->loaded.why);
        return DAEMON_BAD_CONF;
    }
    if (d->loaded.mode == HS_CONF_HELP || d->loaded.mode == HS_CONF_VERSION)
        return DAEMON_OK;
    /* Before the check, which looks into the directory too: for it a directory
     * that is missing is a bad configuration, for a start it is the environment. */
    if (d->loaded.mode == HS_CONF_RUN) {
        int code = daemon_enter_dir(d);
        if (code != DAEMON_OK)
            return code;
    }
    char why[1024];
    if (hs_conf_check(&d->conf, why, sizeof(why)) != 0) {
        fprintf(stderr, "hearsayd: %s\n", why);
        return DAEMON_BAD_CONF;
    }
    return d->loaded.mode == HS_CONF_CHECK ? check_keys(d) : DAEMON_OK;
}

bool daemon_options(struct daemon *d, int argc, char **argv, int *code)
{
    *code = load(d, argc, argv);
    if (*code != DAEMON_OK)
        return true;
    ssize_t n = readlink("/proc/self/exe", d->executable, sizeof(d->executable) - 1);
    d->executable[n > 0 ? n : 0] = 0;

    switch (d->loaded.mode) {
    case HS_CONF_RUN:
        return false;
    case HS_CONF_HELP:
        hs_conf_print_help();
        break;
    case HS_CONF_VERSION:
        hs_conf_print_version();
        break;
    case HS_CONF_CHECK:
        printf("The configuration is valid.\n");
        if (d->loaded.ignored[0] != 0)
            printf("Accepted and ignored, since hearsay keeps no data: %s\n", d->loaded.ignored);
        break;
    case HS_CONF_EXPLAIN:
        hs_conf_print_explain(&d->conf, d->loaded.explain_nodes);
        break;
    }
    /* A full disk or a closed pipe is not a success. */
    if (fflush(stdout) != 0)
        *code = DAEMON_REFUSED;
    return true;
}
