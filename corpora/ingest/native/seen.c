/* The inner loops of `corpora.ingest.seen`: a map from hashes to a flag of one bit, by open addressing.

   A slot holds a key, a hash without its lowest bit, and in that bit the flag; an empty one holds zero. Slots are in the
   order of the keys' spread. There are 1 << bits of them, never all full. */

#include <stdint.h>

enum { UNSEEN = -1, AHEAD = 8 };

/* Neither zero nor with the flag's bit. */
static inline uint64_t key_of(uint64_t hash)
{
    return hash <= 1 ? 2 : hash & ~(uint64_t)1;
}

static inline uint64_t home_of(uint64_t key, int32_t bits)
{
    return key * 0x9E3779B97F4A7C15u >> (64 - bits);
}

/* The slot where the key is, or where it belongs. */
static inline uint64_t *slot_of(uint64_t *slots, int32_t bits, uint64_t key)
{
    uint64_t place = home_of(key, bits), last = ((uint64_t)1 << bits) - 1;
    while (slots[place] && (slots[place] & ~(uint64_t)1) != key) place = (place + 1) & last;
    return slots + place;
}

/* `earlier` gets for each hash the flag that it was first added with, or UNSEEN; returns how many are new.

   Each slot is written to before it is read: of a file that is read, the system maps sixteen pages around the one. */
int64_t add_hashes(uint64_t *slots, int32_t bits, const uint64_t *hashes, const int8_t *flags, int64_t count,
                   int8_t *earlier)
{
    int64_t added = 0;
    for (int64_t index = 0; index < count; index++) {
        if (index + AHEAD < count) __builtin_prefetch(slots + home_of(key_of(hashes[index + AHEAD]), bits), 1);
        uint64_t key = key_of(hashes[index]);
        __atomic_fetch_or(slots + home_of(key, bits), 0, __ATOMIC_RELAXED);
        uint64_t *slot = slot_of(slots, bits, key);
        earlier[index] = *slot ? (int8_t)(*slot & 1) : UNSEEN;
        if (!*slot) {
            *slot = key | (uint64_t)flags[index];
            added++;
        }
    }
    return added;
}

/* `earlier` gets for each hash its flag, or UNSEEN. */
void find_hashes(uint64_t *slots, int32_t bits, const uint64_t *hashes, int64_t count, int8_t *earlier)
{
    for (int64_t index = 0; index < count; index++) {
        uint64_t *slot = slot_of(slots, bits, key_of(hashes[index]));
        earlier[index] = *slot ? (int8_t)(*slot & 1) : UNSEEN;
    }
}

/* Moves what is in `count` slots of a smaller map to a larger one. */
void move_slots(const uint64_t *old, int64_t count, uint64_t *slots, int32_t bits)
{
    for (int64_t index = 0; index < count; index++)
        if (old[index]) *slot_of(slots, bits, old[index] & ~(uint64_t)1) = old[index];
}
