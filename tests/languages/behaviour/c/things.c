/* Things that are made of the host's things. */
#include "guest.h"

#define E(name) exports_test_things_things_##name
#define I(name) test_things_things_##name
typedef both_list_exports_test_things_things_own_thing_t my_things;
typedef both_list_test_things_things_own_thing_t their_things;

struct E(thing_t) {
    I(own_thing_t) inner;
};
struct E(counter_t) {
    uint32_t next;
};

static E(own_thing_t) wrap(I(own_thing_t) inner) {
    E(thing_t) *made = malloc(sizeof *made);
    made->inner = inner;
    return E(own_thing_new)(made);
}

/* The host's thing stays, and mine is gone. */
static I(own_thing_t) unwrap(E(own_thing_t) mine) {
    E(thing_t) *rep = E(own_thing_rep)(mine);
    I(own_thing_t) inner = rep->inner;
    rep->inner.handle = 0;
    E(own_thing_drop)(mine);
    return inner;
}

static I(borrow_thing_t) lent(E(thing_t) *self) { return I(own_thing_borrow)(self->inner); }

static my_things wrap_all(their_things things) {
    my_things made = both_list_exports_test_things_things_own_thing_make(things.len);
    for (size_t i = 0; i < things.len; i++) made.ptr[i] = wrap(things.ptr[i]);
    if (things.len > 0) free(things.ptr);
    return made;
}

static their_things unwrap_all(my_things things) {
    their_things made = both_list_test_things_things_own_thing_make(things.len);
    for (size_t i = 0; i < things.len; i++) made.ptr[i] = unwrap(things.ptr[i]);
    if (things.len > 0) free(things.ptr);
    return made;
}

void E(thing_destructor)(E(thing_t) *rep) {
    if (rep->inner.handle != 0) I(own_thing_drop)(rep->inner);
    free(rep);
}

E(own_thing_t) E(thing_constructor)(both_string_t name) {
    I(own_thing_t) inner = I(thing_constructor)(name);
    both_string_free(&name);
    return wrap(inner);
}

both_string_t E(thing_name)(E(thing_t) *self) {
    both_string_t name = I(thing_name)(lent(self));
    both_string_t made = {malloc(name.len + 2), name.len + 2};
    made.ptr[0] = '<';
    memcpy(made.ptr + 1, name.ptr, name.len);
    made.ptr[name.len + 1] = '>';
    both_string_free(&name);
    return made;
}

void E(thing_rename)(E(thing_t) *self, both_string_t name) {
    I(thing_rename)(lent(self), name);
    both_string_free(&name);
}

bool E(thing_like)(E(thing_t) *self, E(thing_t) *other) { return I(thing_like)(lent(self), lent(other)); }

E(own_thing_t) E(thing_merge)(E(own_thing_t) a, E(thing_t) *b) { return wrap(I(thing_merge)(unwrap(a), lent(b))); }

bool E(thing_checked)(both_string_t name, E(own_thing_t) *ret, both_string_t *err) {
    I(own_thing_t) inner;
    bool is_ok = I(thing_checked)(name, &inner, err);
    both_string_free(&name);
    if (is_ok) *ret = wrap(inner);
    return is_ok;
}

void E(counter_destructor)(E(counter_t) *rep) { free(rep); }

bool E(counter_constructor)(uint32_t start, E(own_counter_t) *ret, both_string_t *err) {
    I(own_counter_t) inner;
    if (!I(counter_constructor)(start, &inner, err)) return false;
    E(counter_t) *made = malloc(sizeof *made);
    made->next = I(counter_next)(I(own_counter_borrow)(inner));
    I(own_counter_drop)(inner);
    *ret = E(own_counter_new)(made);
    return true;
}

uint32_t E(counter_next)(E(counter_t) *self) { return self->next++; }

my_things E(make)(both_list_string_t names) {
    their_things made = I(make)(names);
    both_list_string_free(&names);
    return wrap_all(made);
}

uint32_t E(total)(both_list_exports_test_things_things_borrow_thing_t things) {
    I(borrow_thing_t) borrowed[100];
    for (size_t i = 0; i < things.len; i++) borrowed[i] = lent(things.ptr[i]);
    both_list_test_things_things_borrow_thing_t given = {borrowed, things.len};
    uint32_t total = I(total)(given);
    both_list_exports_test_things_things_borrow_thing_free(&things);
    return total;
}

void E(swap)(E(pair_t) *p, E(pair_t) *ret) {
    I(pair_t) given, got;
    given.left = unwrap(p->left);
    given.right.is_some = p->right.is_some;
    if (p->right.is_some) given.right.val = unwrap(p->right.val);
    I(swap)(&given, &got);
    ret->left = wrap(got.left);
    ret->right.is_some = got.right.is_some;
    if (got.right.is_some) ret->right.val = wrap(got.right.val);
}

both_list_string_t E(look)(both_list_exports_test_things_things_seen_t all) {
    I(seen_t) seen[100];
    for (size_t i = 0; i < all.len; i++) {
        seen[i].it = lent(all.ptr[i].it);
        seen[i].times = all.ptr[i].times;
    }
    both_list_test_things_things_seen_t given = {seen, all.len};
    both_list_string_t made = I(look)(given);
    both_list_exports_test_things_things_seen_free(&all);
    return made;
}

both_string_t E(look_at)(
    E(seen_t) *it, both_option_exports_test_things_things_borrow_thing_t *other, E(thing_t) *last) {
    I(seen_t) seen = {lent(it->it), it->times};
    both_option_test_things_things_borrow_thing_t given;
    given.is_some = other->is_some;
    if (other->is_some) given.val = lent(other->val);
    return I(look_at)(&seen, &given, lent(last));
}

both_string_t E(consume)(E(own_thing_t) x) { return I(consume)(unwrap(x)); }

void E(hold)(E(held_t) *x, E(held_t) *ret) {
    I(held_t) given, got;
    given.tag = x->tag;
    if (x->tag == TEST_THINGS_THINGS_HELD_ONE) given.val.one = unwrap(x->val.one);
    if (x->tag == TEST_THINGS_THINGS_HELD_MANY) given.val.many = unwrap_all(x->val.many);
    I(hold)(&given, &got);
    if (given.tag == TEST_THINGS_THINGS_HELD_MANY && given.val.many.len > 0) free(given.val.many.ptr);
    ret->tag = got.tag;
    if (got.tag == TEST_THINGS_THINGS_HELD_ONE) ret->val.one = wrap(got.val.one);
    if (got.tag == TEST_THINGS_THINGS_HELD_MANY) ret->val.many = wrap_all(got.val.many);
}

void E(spilled)(
    both_tuple8_u64_u64_u64_u64_u64_u64_u64_u64_t *a, both_tuple6_u64_u64_u64_u64_u64_u64_t *b, E(own_thing_t) c,
    E(thing_t) *d, my_things e, both_tuple3_exports_test_things_things_own_thing_u64_u32_t *ret) {
    their_things things = unwrap_all(e);
    both_tuple3_test_things_things_own_thing_u64_u32_t got;
    I(spilled)(a, b, unwrap(c), lent(d), things, &got);
    if (things.len > 0) free(things.ptr);
    ret->f0 = wrap(got.f0);
    ret->f1 = got.f1;
    ret->f2 = got.f2;
}

uint32_t exports_both_live_blocks(void) { return live_blocks; }
