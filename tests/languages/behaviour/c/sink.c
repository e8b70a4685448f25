/* Makes something else of everything that it gets. */
#include "guest.h"

#define T(name) exports_test_sink_transforms_##name
#define S(name) exports_test_sink_shared_##name
#define W(name) exports_in_place_##name
#define copy_of(text) sink_string_copy_n((text).ptr, (text).len)

static S(point_t) shifted(S(point_t) at) {
    test_sink_shared_point_t given = {at.x, at.y}, got;
    test_sink_shared_shift(&given, &got);
    S(point_t) made = {got.x, got.y};
    return made;
}

static sink_string_t joined(const sink_list_string_t *words, sink_string_t between) {
    size_t len = 0;
    for (size_t i = 0; i < words->len; i++) len += words->ptr[i].len + between.len;
    if (len == 0) return sink_string_copy("");
    sink_string_t made = {malloc(len), 0};
    for (size_t i = 0; i < words->len; i++) {
        if (i > 0) {
            memcpy(made.ptr + made.len, between.ptr, between.len);
            made.len += between.len;
        }
        memcpy(made.ptr + made.len, words->ptr[i].ptr, words->ptr[i].len);
        made.len += words->ptr[i].len;
    }
    if (made.len == 0) free(made.ptr);
    return made;
}

/* The list with one more at its end. */
static void append(sink_list_string_t *list, sink_string_t item) {
    sink_list_string_t longer = sink_list_string_make(list->len + 1);
    if (list->len > 0) {
        memcpy(longer.ptr, list->ptr, list->len * sizeof item);
        free(list->ptr);
    }
    longer.ptr[list->len] = item;
    *list = longer;
}

void S(shift)(S(point_t) *x, S(point_t) *ret) {
    S(point_t) turned = {x->y, x->x};
    *ret = shifted(turned);
}

sink_list_string_t T(reverse)(sink_list_string_t x) {
    sink_list_string_t made = sink_list_string_make(x.len);
    for (size_t i = 0; i < x.len; i++) {
        sink_string_t twice[2] = {x.ptr[i], x.ptr[i]};
        sink_list_string_t words = {twice, 2};
        made.ptr[x.len - 1 - i] = joined(&words, sink_string_view(""));
    }
    sink_list_string_free(&x);
    return made;
}

void T(move_all)(S(shape_t) *x, S(shape_t) *ret) {
    *ret = *x; /* What it owns moves too. */
    switch (x->tag) {
    case EXPORTS_TEST_SINK_SHARED_SHAPE_DOT:
        ret->val.dot = shifted(x->val.dot);
        break;
    case EXPORTS_TEST_SINK_SHARED_SHAPE_LINE:
        ret->val.line.f0 = shifted(x->val.line.f0);
        ret->val.line.f1 = shifted(x->val.line.f1);
        break;
    case EXPORTS_TEST_SINK_SHARED_SHAPE_PATH:
        for (size_t i = 0; i < x->val.path.len; i++) ret->val.path.ptr[i] = shifted(x->val.path.ptr[i]);
        break;
    default:
        break;
    }
}

S(rights_t) T(invert)(S(rights_t) x) {
    return x ^ (EXPORTS_TEST_SINK_SHARED_RIGHTS_READ | EXPORTS_TEST_SINK_SHARED_RIGHTS_WRITE |
                EXPORTS_TEST_SINK_SHARED_RIGHTS_MOVE);
}

S(level_t) T(next)(S(level_t) x) { return (S(level_t))((x + 1) % 3); }

bool T(total)(sink_list_exports_test_sink_transforms_order_t orders, T(totals_t) *ret, sink_list_string_t *err) {
    sink_list_string_t reasons = {NULL, 0};
    ret->count = 0;
    ret->sum = 0;
    for (size_t i = 0; i < orders.len; i++) {
        if (orders.ptr[i].paid.is_err) {
            append(&reasons, copy_of(orders.ptr[i].paid.val.err));
        } else {
            ret->count++;
            ret->sum += orders.ptr[i].paid.val.ok;
        }
    }
    sink_list_exports_test_sink_transforms_order_free(&orders);
    if (reasons.len > 0) {
        *err = reasons;
        return false;
    }
    ret->most = ret->count > 2   ? EXPORTS_TEST_SINK_SHARED_LEVEL_HIGH
                : ret->count > 0 ? EXPORTS_TEST_SINK_SHARED_LEVEL_MIDDLE
                                 : EXPORTS_TEST_SINK_SHARED_LEVEL_LOW;
    return true;
}

void T(rework)(T(order_t) *x, T(order_t) *ret) {
    *ret = *x;
    ret->id = x->id ^ UINT64_MAX;
    append(&ret->tags, copy_of(x->name));
    if (x->place.is_some) ret->place.val = shifted(x->place.val);
    if (x->paid.is_err) {
        ret->paid = sink_result_f64_string_ok((double)x->paid.val.err.len);
        sink_string_free(&x->paid.val.err);
    } else {
        ret->paid = sink_result_f64_string_err(sink_string_copy(x->paid.val.ok < 0 ? "less" : "more"));
    }
}

/* The bytes of a character in UTF-8. */
static size_t encode(uint32_t point, char *to) {
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, point >>= 6) to[i] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)((0xf00 >> len) | point);
    return len;
}

void T(widen)(
    uint8_t a, int8_t b, uint16_t c, int16_t d, uint32_t e, int32_t f, uint64_t g, int64_t h, float i, bool j,
    uint32_t k, sink_string_t l, sink_tuple4_s64_u64_f64_string_t *ret) {
    char first[4];
    sink_string_t parts[2] = {{first, encode(k, first)}, l};
    sink_list_string_t words = {parts, 2};
    ret->f0 = (int64_t)((uint64_t)h + (uint64_t)(int64_t)(b + d) + (uint64_t)(int64_t)f);
    ret->f1 = g + a + c + e;
    ret->f2 = j ? (double)i : -(double)i;
    ret->f3 = joined(&words, sink_string_view(""));
    sink_string_free(&l);
}

sink_list_list_u8_t T(split)(sink_list_u8_t bytes, uint8_t at) {
    size_t count = 1;
    for (size_t i = 0; i < bytes.len; i++) count += bytes.ptr[i] == at;
    sink_list_list_u8_t made = sink_list_list_u8_make(count);
    size_t begin = 0, part = 0;
    for (size_t i = 0; i <= bytes.len; i++) {
        if (i < bytes.len && bytes.ptr[i] != at) continue;
        made.ptr[part++] = sink_list_u8_copy(bytes.ptr + begin, i - begin);
        begin = i + 1;
    }
    sink_list_u8_free(&bytes);
    return made;
}

struct W(words_t) {
    sink_list_string_t all;
};

void W(words_destructor)(W(words_t) *rep) {
    sink_list_string_free(&rep->all);
    free(rep);
}

W(own_words_t) W(words_constructor)(sink_list_string_t first) {
    W(words_t) *made = malloc(sizeof *made);
    made->all = first;
    return W(own_words_new)(made);
}

uint32_t W(words_add)(W(words_t) *self, sink_string_t word) {
    append(&self->all, word);
    return (uint32_t)self->all.len;
}

sink_string_t W(words_joined)(W(words_t) *self, sink_string_t between) {
    sink_string_t made = joined(&self->all, between);
    sink_string_free(&between);
    return made;
}

bool W(words_longest)(sink_list_exports_in_place_borrow_words_t all, sink_string_t *ret) {
    const sink_string_t *longest = NULL;
    for (size_t i = 0; i < all.len; i++) {
        for (size_t n = 0; n < all.ptr[i]->all.len; n++) {
            const sink_string_t *word = &all.ptr[i]->all.ptr[n];
            if (longest == NULL || word->len > longest->len) longest = word;
        }
    }
    if (longest != NULL) *ret = copy_of(*longest);
    sink_list_exports_in_place_borrow_words_free(&all);
    return longest != NULL;
}

bool W(merge)(sink_list_exports_in_place_own_words_t all, W(own_words_t) *ret) {
    bool is_some = all.len > 0;
    if (is_some) {
        *ret = all.ptr[0];
        sink_list_string_t *words = &W(own_words_rep)(all.ptr[0])->all;
        for (size_t i = 1; i < all.len; i++) {
            const sink_list_string_t *more = &W(own_words_rep)(all.ptr[i])->all;
            for (size_t n = 0; n < more->len; n++) append(words, copy_of(more->ptr[n]));
            W(own_words_drop)(all.ptr[i]);
        }
        free(all.ptr);
    }
    return is_some;
}

bool exports_sink_run(
    sink_point_t *at, sink_own_counter_t count, uint32_t times, sink_tuple2_test_sink_shared_point_own_counter_t *ret,
    sink_level_t *err) {
    sink_borrow_counter_t counter = sink_own_counter_borrow(count);
    for (uint32_t i = 0; i < times; i++) {
        sink_level_t level = (sink_level_t)(sink_counter_next(counter) % 3);
        if (!sink_log(level, sink_string_view("counted"), err)) {
            sink_own_counter_drop(count);
            return false;
        }
    }
    sink_own_counter_t other = sink_counter_constructor(times);
    sink_list_borrow_counter_t one = {&counter, 1};
    uint32_t sum = sink_counter_sum(one, sink_counter_next(sink_own_counter_borrow(other)));
    sink_own_counter_drop(other);
    test_sink_shared_point_t moved = {(int32_t)((uint32_t)at->x + sum), at->y};
    test_sink_shared_shift(&moved, &ret->f0);
    ret->f1 = count;
    return true;
}

uint32_t exports_sink_live_blocks(void) { return live_blocks; }
