/* Any text either is refused with a reason, or loads, and then what we write of
 * it loads again and is written the same.
 */
#include "hearsay/store.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct hs_conf_error err;
    size_t first_n, second_n;
    struct hs_topo *t = hs_nodesconf_parse((const char *)data, n, 1000, &err);
    if (t == NULL) {
        HS_ASSERT(err.text[0] != '\0');
        return 0;
    }
    char *first = hs_nodesconf_text(t, &first_n);
    HS_ASSERT(first != NULL);
    struct hs_topo *again = hs_nodesconf_parse(first, first_n, 1000, &err);
    HS_ASSERT(again != NULL);
    HS_ASSERT(again->nodes_n == t->nodes_n);
    HS_ASSERT(again->current_epoch == t->current_epoch);
    HS_ASSERT(memcmp(&again->nodes[0].id, &t->nodes[0].id, sizeof(t->nodes[0].id)) == 0);
    char *second = hs_nodesconf_text(again, &second_n);
    HS_ASSERT(second_n == first_n);
    /* Nodes only mentioned come in another order the second time. */
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        uint16_t a = t->owner[slot], b = again->owner[slot];
        HS_ASSERT((a == HS_TOPO_NONE) == (b == HS_TOPO_NONE));
        HS_ASSERT(a == HS_TOPO_NONE ||
                  memcmp(&t->nodes[a].id, &again->nodes[b].id, sizeof(t->nodes[a].id)) == 0);
    }
    hs_free(second);
    hs_topo_destroy(again);
    hs_free(first);
    hs_topo_destroy(t);
    return 0;
}
