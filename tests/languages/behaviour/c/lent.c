/* Uses things of the host's, lent and given. */
#include "guest.h"

#define I(name) test_things_things_##name

void exports_test_things_user_use_imported(
    I(borrow_thing_t) it, handed_list_test_things_things_borrow_thing_t all, I(own_thing_t) keep,
    exports_test_things_user_pair_t *ret) {
    I(thing_rename)(it, handed_string_view("used"));

    handed_string_t joined = {malloc(1000), 0};
    for (size_t i = 0; i < all.len; i++) {
        handed_string_t name = I(thing_name)(all.ptr[i]);
        if (i > 0) joined.ptr[joined.len++] = '+';
        memcpy(joined.ptr + joined.len, name.ptr, name.len);
        joined.len += name.len;
        handed_string_free(&name);
    }
    I(thing_rename)(I(own_thing_borrow)(keep), joined);
    free(joined.ptr);

    ret->left = keep;
    ret->right.is_some = I(total)(all) > 1;
    if (ret->right.is_some) {
        handed_string_t name = I(thing_name)(it);
        ret->right.val = I(thing_constructor)(name);
        handed_string_free(&name);
    }

    I(borrow_thing_drop)(it);
    handed_list_test_things_things_borrow_thing_free(&all);
}

uint32_t exports_handed_live_blocks(void) { return live_blocks; }
