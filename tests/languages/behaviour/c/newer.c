/* Passes lists of a fixed length and maps on to the import of the same name, and back. */
#include "guest.h"

#define E(name) exports_test_values_newer_##name
#define I(name) test_values_newer_##name

void E(fixed)(newly_through_list4_u16_t *x, newly_through_list4_u16_t *ret) { I(fixed)(x, ret); }

void E(fixed_strings)(newly_through_list3_string_t *x, newly_through_list3_string_t *ret) {
    I(fixed_strings)(x, ret);
    newly_through_list3_string_free(x);
}

newly_through_map_string_u32_t E(map_of)(newly_through_map_string_u32_t x) {
    newly_through_map_string_u32_t made = I(map_of)(x);
    newly_through_map_string_u32_free(&x);
    return made;
}

newly_through_map_u8_list_string_t E(map_lists)(newly_through_map_u8_list_string_t x) {
    newly_through_map_u8_list_string_t made = I(map_lists)(x);
    newly_through_map_u8_list_string_free(&x);
    return made;
}

uint32_t exports_newly_through_live_blocks(void) { return live_blocks; }
