/* prng.c - xoshiro256**, seeded by splitmix64.
 *
 * Blackman and Vigna's generator: small, fast, and the same everywhere, which
 * is what replaying a run from its seed needs. Not for secrets.
 */
#include "hearsay/base.h"

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* Spreads a seed over 64 bits, so that neighbouring seeds have nothing in common. */
static uint64_t splitmix(uint64_t *x)
{
    *x += 0x9E3779B97F4A7C15u;
    uint64_t z = *x;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

void hs_prng_seed(struct hs_prng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

uint64_t hs_prng_next(struct hs_prng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint32_t hs_prng_below(struct hs_prng *r, uint32_t bound)
{
    HS_ASSERT(bound > 0);
    /* The high half of a 32 x 32 bit product is uniform but for the products
     * whose low half falls into a short remainder; those are drawn again. */
    uint32_t remainder = (UINT32_MAX - bound + 1) % bound;
    uint64_t product;

    do
        product = (hs_prng_next(r) >> 32) * bound;
    while ((uint32_t)product < remainder);
    return (uint32_t)(product >> 32);
}
