/*
 * A WASI-NN guest from before 2023: it numbers its tensor types f16 = 0, f32 = 1, u8 = 2, i32 = 3.
 *
 *     classify-legacy.wasm MODEL DIMENSIONS INPUT OUTPUT
 *
 * Asks the host for the model that it knows as MODEL (`load_by_name`), hands it the bytes of the file INPUT as a u8
 * tensor of these DIMENSIONS (such as 1x3x4x4), and writes the bytes of output 0 to the file OUTPUT. Nothing in the
 * module says which dialect it speaks: a host has to tell from the byte count that its type 2 is u8 and not f64.
 *
 * Exit code 0, 1 for a failure (its cause on stderr), or 2 for wrong arguments.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WASI_NN(name) __attribute__((import_module("wasi_ephemeral_nn"), import_name(#name))) extern uint32_t

enum { TENSOR_TYPE_U8 = 2 }; /* The old dialect; 3 since 2023. */
enum { ERRNO_TOO_LARGE = 7 };
enum { MAX_DIMENSIONS = 8 };

struct tensor {
    const uint32_t *dimensions;
    uint32_t dimensions_len;
    uint8_t type;
    const uint8_t *data;
    uint32_t data_len;
};

WASI_NN(load_by_name) nn_load_by_name(const char *name, uint32_t name_len, uint32_t *graph);
WASI_NN(init_execution_context) nn_init_execution_context(uint32_t graph, uint32_t *context);
WASI_NN(set_input) nn_set_input(uint32_t context, uint32_t index, const struct tensor *tensor);
WASI_NN(compute) nn_compute(uint32_t context);
WASI_NN(get_output) nn_get_output(uint32_t context, uint32_t index, uint8_t *buffer, uint32_t buffer_len,
                                  uint32_t *bytes_written);

static void check(const char *call, uint32_t code) {
    if (code != 0) {
        fprintf(stderr, "classify-legacy: WASI-NN %s: errno %u\n", call, code);
        exit(1);
    }
}

static void fail_on(const char *path) {
    fprintf(stderr, "classify-legacy: %s: %s\n", path, strerror(errno));
    exit(1);
}

static uint8_t *allocate(uint8_t *old, size_t size) {
    uint8_t *bytes = realloc(old, size > 0 ? size : 1);
    if (bytes == NULL) {
        fprintf(stderr, "classify-legacy: no memory for %zu bytes\n", size);
        exit(1);
    }
    return bytes;
}

/* Reads "1x3x4x4". Returns how many dimensions there are, or 0 where the text is something else. */
static uint32_t parse_dimensions(const char *text, uint32_t dimensions[MAX_DIMENSIONS]) {
    for (uint32_t count = 0; count < MAX_DIMENSIONS; text++) {
        if (*text < '0' || *text > '9') /* strtoull would take a sign and spaces. */
            return 0;
        char *end;
        unsigned long long value = strtoull(text, &end, 10);
        if (value > UINT32_MAX)
            return 0;
        dimensions[count++] = (uint32_t)value;
        if (*end == '\0')
            return count;
        if (*end != 'x')
            return 0;
        text = end;
    }
    return 0;
}

static uint8_t *read_file(const char *path, uint32_t *len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_on(path);
    uint8_t *bytes = NULL;
    size_t used = 0, size = 0, got;
    do {
        if (used == size)
            bytes = allocate(bytes, size += size + 4096);
        got = fread(bytes + used, 1, size - used, file);
        used += got;
    } while (got > 0);
    if (ferror(file))
        fail_on(path);
    fclose(file);
    *len = (uint32_t)used;
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, uint32_t len) {
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        fail_on(path);
    size_t put = fwrite(bytes, 1, len, file);
    if (fclose(file) != 0 || put != len)
        fail_on(path);
}

int main(int argc, char **argv) {
    uint32_t dimensions[MAX_DIMENSIONS];
    uint32_t rank = argc == 5 ? parse_dimensions(argv[2], dimensions) : 0;
    if (rank == 0) {
        fputs("usage: classify-legacy.wasm MODEL DIMENSIONS INPUT OUTPUT\n", stderr);
        return 2;
    }
    const char *model = argv[1], *input_path = argv[3], *output_path = argv[4];

    struct tensor input = {.dimensions = dimensions, .dimensions_len = rank, .type = TENSOR_TYPE_U8};
    input.data = read_file(input_path, &input.data_len);
    printf("Read input tensor %sxu8, size in bytes: %u\n", argv[2], input.data_len);

    uint32_t graph, context;
    check("load_by_name", nn_load_by_name(model, strlen(model), &graph));
    check("init_execution_context", nn_init_execution_context(graph, &context));
    check("set_input", nn_set_input(context, 0, &input));
    check("compute", nn_compute(context));

    /* Start small, and take the size from the host where it says that the output is larger. */
    uint32_t size = 16, written = 0;
    uint8_t *output = allocate(NULL, size);
    uint32_t code = nn_get_output(context, 0, output, size, &written);
    if (code == ERRNO_TOO_LARGE && written > size) {
        size = written;
        output = allocate(output, size);
        code = nn_get_output(context, 0, output, size, &written);
    }
    check("get_output", code);
    if (written > size) {
        fprintf(stderr, "classify-legacy: the host wrote %u bytes into %u\n", written, size);
        return 1;
    }
    write_file(output_path, output, written);
    printf("Wrote output tensor to %s, size in bytes: %u\n", output_path, written);
    return 0;
}
