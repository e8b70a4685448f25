/* Attributes that are kept by the host's. */
#include "guest.h"

#define E(name) exports_test_accessors_t_##name
#define I(name) test_accessors_t_##name

struct E(r_t) {
    I(own_r_t) inner;
};

static I(borrow_r_t) lent(E(r_t) *self) { return I(own_r_borrow)(self->inner); }

E(own_r_t) E(r_constructor)(uint32_t foo) {
    E(r_t) *made = malloc(sizeof *made);
    made->inner = I(r_constructor)(foo);
    return E(own_r_new)(made);
}

void E(r_destructor)(E(r_t) *rep) {
    I(own_r_drop)(rep->inner);
    free(rep);
}

uint32_t E(r_get_foo)(E(r_t) *self) { return I(r_get_foo)(lent(self)) + 1; }

void E(r_set_foo)(E(r_t) *self, uint32_t v) { I(r_set_foo)(lent(self), v + 1); }

w_string_t E(r_get_bar)(void) { return I(r_get_bar)(); }

uint64_t E(get_size)(void) { return I(get_size)() + 1; }

void E(set_size)(uint64_t v) { I(set_size)(v + 1); }

uint32_t exports_w_live_blocks(void) { return live_blocks; }
