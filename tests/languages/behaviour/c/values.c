/* Passes every kind of value on to the import of the same name, and what that returns back. */
#include "guest.h"

#define E(name) exports_test_values_echo_##name
#define I(name) test_values_echo_##name

/* The classes of values on both sides look the same. */
#define PLAIN(name, type) \
    type E(name)(type x) { return I(name)(x); }
#define OWNED(name, type, release) \
    type E(name)(type x) { \
        type made = I(name)(x); \
        release(&x); \
        return made; \
    }
#define KEPT(value) ((void)(value))
#define POINTED(name, mine, other, release) \
    void E(name)(mine *x, mine *ret) { \
        I(name)((const other *)x, (other *)ret); \
        release(x); \
    }

bool exports_test_values_echo_bool(bool x) { return test_values_echo_bool(x); } /* `bool` is a macro. */
PLAIN(u8, uint8_t)
PLAIN(s8, int8_t)
PLAIN(u16, uint16_t)
PLAIN(s16, int16_t)
PLAIN(u32, uint32_t)
PLAIN(s32, int32_t)
PLAIN(u64, uint64_t)
PLAIN(s64, int64_t)
PLAIN(f32, float)
PLAIN(f64, double)
PLAIN(char, uint32_t)
PLAIN(color_of, E(color_t))
PLAIN(few_of, E(few_t))
PLAIN(some_of, E(some_t))
PLAIN(all_of, E(all_t))
OWNED(string, through_string_t, through_string_free)
OWNED(bytes_of, E(bytes_t), E(bytes_free))
OWNED(names_of, E(names_t), E(names_free))
OWNED(list_u32, through_list_u32_t, through_list_u32_free)
OWNED(list_list, through_list_list_string_t, through_list_list_string_free)
OWNED(result_inner, through_list_result_string_f32_t, through_list_result_string_f32_free)
POINTED(point_of, E(point_t), I(point_t), KEPT)
POINTED(one_of, E(one_t), I(one_t), KEPT)
POINTED(plain_of, E(plain_t), I(plain_t), KEPT)
POINTED(nested_of, E(nested_t), I(nested_t), E(nested_free))
POINTED(shape_of, E(shape_t), I(shape_t), E(shape_free))
POINTED(wide, E(variant_of_all_t), I(variant_of_all_t), E(variant_of_all_free))
POINTED(tuple_of, through_tuple3_u8_string_f64_t, through_tuple3_u8_string_f64_t, through_tuple3_u8_string_f64_free)

through_list_exports_test_values_echo_shape_t E(shapes)(through_list_exports_test_values_echo_shape_t x) {
    through_list_test_values_echo_shape_t given = {(I(shape_t) *)x.ptr, x.len};
    through_list_test_values_echo_shape_t made = I(shapes)(given);
    through_list_exports_test_values_echo_shape_free(&x);
    through_list_exports_test_values_echo_shape_t result = {(E(shape_t) *)made.ptr, made.len};
    return result;
}

bool E(option_u32)(through_option_u32_t *x, uint32_t *ret) { return I(option_u32)(x, ret); }

bool E(option_string)(through_option_string_t *x, through_string_t *ret) {
    bool is_some = I(option_string)(x, ret);
    through_option_string_free(x);
    return is_some;
}

bool E(option_option)(through_option_option_string_t *x, through_option_string_t *ret) {
    bool is_some = I(option_option)(x, ret);
    through_option_option_string_free(x);
    return is_some;
}

bool E(result_of)(through_result_string_exports_test_values_echo_color_t *x, through_string_t *ret, E(color_t) *err) {
    bool is_ok = I(result_of)((through_result_string_test_values_echo_color_t *)x, ret, err);
    through_result_string_exports_test_values_echo_color_free(x);
    return is_ok;
}

bool E(result_ok)(through_result_u64_void_t *x, uint64_t *ret) { return I(result_ok)(x, ret); }

bool E(result_err)(through_result_void_string_t *x, through_string_t *err) {
    bool is_ok = I(result_err)(x, err);
    through_result_void_string_free(x);
    return is_ok;
}

bool E(result_none)(through_result_void_void_t *x) { return I(result_none)(x); }

typedef through_tuple10_u8_string_f64_list_u32_option_string_exports_test_values_echo_shape_u64_char_bool_exports_test_values_echo_point_t E(ten);
typedef through_tuple10_u8_string_f64_list_u32_option_string_test_values_echo_shape_u64_char_bool_test_values_echo_point_t I(ten);

void E(many)(
    uint8_t a, through_string_t b, double c, through_list_u32_t d, through_option_string_t *e, E(shape_t) *f,
    uint64_t g, uint32_t h, bool i, E(point_t) *j, E(ten) *ret) {
    I(many)(a, b, c, d, e, (I(shape_t) *)f, g, h, i, (I(point_t) *)j, (I(ten) *)ret);
    through_string_free(&b);
    through_list_u32_free(&d);
    through_option_string_free(e);
    E(shape_free)(f);
}

uint32_t exports_through_live_blocks(void) { return live_blocks; }
