/* Reads the plain rows of a block of JSON Lines and writes them as canonical JSON.

   A plain row is one object of its layout's own keys, each there once, with texts that hold something and no NUL, and
   it makes a conversation that ends with an answer. Its canonical form is byte for byte what `corpora.ingest.batch`
   writes for it. Every other line that is not blank is odd: it is left to be read in Python, where each problem has a
   name. So nothing here needs to tell what is wrong, only to be certain that nothing is. */

#ifdef __SSE2__
/* Every such processor since 2008 has it. */
#pragma GCC target("popcnt")
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum layout { CHAT, PROMPT, INSTRUCTION };

/* What stands between a text's quotation marks; `start` is NULL for what is missing. */
typedef struct {
    const uint8_t *start, *end;
} text_t;

/* Where to write, and how many characters the last text had. */
typedef struct {
    uint8_t *at;
    int32_t characters;
} writer_t;

/* Columns of the plain rows, and of the odd lines. Lines count from 1, the other numbers are offsets: `raw_*` and
   `odd_*` into the block, `cuts` (the comma before the answer) and `ends` into `text`, which has room for `room` bytes. */
typedef struct {
    uint8_t *text;
    int64_t room;
    int32_t *lines, *raw_starts, *raw_ends, *cuts, *ends, *prompt_characters, *answer_characters, *turns;
    int32_t *odd_lines, *odd_starts, *odd_ends;
    int32_t rows, odd, line_count;
} rows_t;

#define ADD(writer, literal) (memcpy((writer)->at, literal, sizeof(literal) - 1), (writer)->at += sizeof(literal) - 1)
#define IS(text, literal) \
    ((size_t)((text).end - (text).start) == sizeof(literal) - 1 && !memcmp((text).start, literal, sizeof(literal) - 1))

static const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
    return at;
}

/* Behind `wanted` and the white space around it; NULL if something else is there. */
static const uint8_t *take(const uint8_t *at, const uint8_t *end, uint8_t wanted)
{
    at = skip_blanks(at, end);
    return at < end && *at == wanted ? skip_blanks(at + 1, end) : NULL;
}

/* Behind the text that begins at `at`; what is in it is not looked at yet. */
static const uint8_t *take_text(const uint8_t *at, const uint8_t *end, text_t *text)
{
    if (at >= end || *at != '"') return NULL;
    text->start = ++at;
    for (;;) {
#ifdef __SSE2__
        while (end - at >= 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)at);
            __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                         _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
            int mask = _mm_movemask_epi8(found);
            if (mask) {
                at += __builtin_ctz((unsigned)mask);
                break;
            }
            at += 16;
        }
#endif
        while (at < end && *at != '"' && *at != '\\') at++;
        if (at >= end) return NULL;
        if (*at == '"') {
            text->end = at;
            return at + 1;
        }
        if (end - at < 2) return NULL;
        at += 2;
    }
}

/* Behind an object whose values are texts; NULL unless its keys are among `keys`, each at most once. The key at
   `nullable` may have null for a value, which is as if it were missing. */
static const uint8_t *take_fields(const uint8_t *at, const uint8_t *end, const char *const keys[], int count,
                                  int nullable, text_t values[])
{
    unsigned seen = 0;
    for (int index = 0; index < count; index++) values[index].start = NULL;
    if (!(at = take(at, end, '{'))) return NULL;
    for (;;) {
        text_t name;
        int key = 0;
        if (!(at = take_text(at, end, &name))) return NULL;
        size_t length = (size_t)(name.end - name.start);
        while (key < count && (strlen(keys[key]) != length || memcmp(keys[key], name.start, length))) key++;
        if (key == count || seen & 1u << key) return NULL;
        seen |= 1u << key;
        if (!(at = take(at, end, ':'))) return NULL;
        if (key == nullable && end - at >= 4 && !memcmp(at, "null", 4))
            at += 4;
        else if (!(at = take_text(at, end, &values[key])))
            return NULL;
        const uint8_t *next = take(at, end, ',');
        if (!next) return take(at, end, '}');
        at = next;
    }
}

/* As `str.isspace` has it. */
static bool is_space(uint32_t point)
{
    return (point >= 9 && point <= 13) || (point >= 28 && point <= 32) || point == 0x85 || point == 0xA0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 ||
           point == 0x202F || point == 0x205F || point == 0x3000;
}

/* The number that four hexadecimal digits write, or one that is negative. */
static inline int32_t read_unit(const uint8_t *at, const uint8_t *end)
{
    static const int8_t digits[256] = {
        ['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ['A'] = 11, 12, 13, 14, 15, 16, ['a'] = 11, 12, 13, 14, 15, 16,
    };
    if (end - at < 4) return -1;
    int32_t first = digits[at[0]] - 1, second = digits[at[1]] - 1, third = digits[at[2]] - 1, last = digits[at[3]] - 1;
    return (first * 4096 + second * 256 + third * 16 + last) | (first | second | third | last) >> 31;
}

/* Behind the character that is escaped at `at`, which `point` gets; NULL for NUL and for half of a character. */
static inline const uint8_t *read_escaped(const uint8_t *at, const uint8_t *end, uint32_t *point)
{
    static const uint8_t meant[256] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
    };
    if (end - at < 2) return NULL;
    if (at[1] != 'u') {
        *point = meant[at[1]];
        return *point ? at + 2 : NULL;
    }
    int32_t unit = read_unit(at + 2, end);
    if (unit <= 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) return NULL;
    at += 6;
    *point = (uint32_t)unit;
    if (unit < 0xD800 || unit > 0xDBFF) return at;
    int32_t low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? read_unit(at + 2, end) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return NULL;
    *point = 0x10000u + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
    return at + 6;
}

/* Behind the character of several bytes at `at`, which `point` gets; NULL if it is not UTF-8 (RFC 3629). */
static inline const uint8_t *read_long(const uint8_t *at, const uint8_t *end, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int size = *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : 2;
    if (*at < 0xC0 || *at > 0xF4 || end - at < size) return NULL;
    uint32_t read = *at & (0x7Fu >> size);
    for (int index = 1; index < size; index++) {
        if ((at[index] & 0xC0) != 0x80) return NULL;
        read = read << 6 | (at[index] & 0x3Fu);
    }
    *point = read;
    return read < least[size] || read > 0x10FFFF || (read >= 0xD800 && read <= 0xDFFF) ? NULL : at + size;
}

/* Writes one character as JSON has it where nothing is escaped that need not be; behind it. */
static inline uint8_t *write_point(uint8_t *out, uint32_t point)
{
    if (point >= 0x10000) {
        *out++ = (uint8_t)(0xF0 | point >> 18);
        *out++ = (uint8_t)(0x80 | (point >> 12 & 0x3F));
        *out++ = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        *out++ = (uint8_t)(0x80 | (point & 0x3F));
    } else if (point >= 0x800) {
        *out++ = (uint8_t)(0xE0 | point >> 12);
        *out++ = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        *out++ = (uint8_t)(0x80 | (point & 0x3F));
    } else if (point >= 0x80) {
        *out++ = (uint8_t)(0xC0 | point >> 6);
        *out++ = (uint8_t)(0x80 | (point & 0x3F));
    } else if (point >= 8 && point <= 13 && point != 11) {
        *out++ = '\\';
        *out++ = (uint8_t)"btn_fr"[point - 8];
    } else if (point < 0x20) {
        memcpy(out, point < 0x10 ? "\\u000" : "\\u001", 5);
        out[5] = (uint8_t)"0123456789abcdef"[point & 15];
        out += 6;
    } else {
        if (point == '"' || point == '\\') *out++ = '\\';
        *out++ = (uint8_t)point;
    }
    return out;
}

#ifdef __SSE2__
/* How many of 16 bytes may be copied as they stand: what comes before a quotation mark, an escape, a control character, or
   a character that is not one of two bytes. `characters` gets how many characters they are, `solid` whether one is ASCII and no
   white space. */
static inline int count_plain(__m128i bytes, int *characters, bool *solid)
{
    /* As signed numbers, the bytes of longer characters are negative: those that go on below -64. */
    __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    __m128i special = _mm_or_si128(marks, _mm_and_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                                                        _mm_cmpgt_epi8(bytes, _mm_set1_epi8(-1))));
    unsigned stop = (unsigned)_mm_movemask_epi8(special), more = 0;
    unsigned high = (unsigned)_mm_movemask_epi8(bytes);
    if (high) {
        __m128i begins = _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)0xC1)),
                                       _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)0xE0)));
        unsigned first = (unsigned)_mm_movemask_epi8(begins);
        more = (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(bytes, _mm_set1_epi8((char)0xC0)));
        /* A byte that goes on stands behind each that begins, and nowhere else. */
        unsigned wrong = (high & ~first & ~more) | (more ^ first << 1);
        /* Of a wrong second byte the first is wrong too. */
        stop |= wrong | (wrong & first << 1) >> 1;
    }
    int count = __builtin_ctz(stop | 1u << 16);
    unsigned taken = (1u << count) - 1;
    *characters = count - __builtin_popcount(more & taken);
    *solid = _mm_movemask_epi8(_mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x20))) & taken;
    return count;
}
#endif

/* Writes the text whose first character is at `at` and counts its characters; behind its quotation mark, or NULL if it
   has none, cannot be stored or is white space only. There is room for it and 16 bytes more. */
static const uint8_t *write_text(writer_t *writer, const uint8_t *at, const uint8_t *end)
{
    /* In variables of their own, as a byte that is written might else be one of theirs. */
    uint8_t *out = writer->at;
    int32_t characters = 0;
    bool blank = true;
    for (;;) {
#ifdef __SSE2__
        if (end - at >= 16) {
            int counted;
            bool solid;
            __m128i bytes = _mm_loadu_si128((const __m128i *)at);
            int count = count_plain(bytes, &counted, &solid);
            if (count && (solid || !blank)) {
                _mm_storeu_si128((__m128i *)out, bytes);
                blank = false;
                at += count;
                out += count;
                characters += counted;
                continue;
            }
        }
#endif
        if (at >= end) return NULL;
        uint32_t point = *at;
        if (point == '"') break;
        if (point == '\\')
            at = read_escaped(at, end, &point);
        else if (point >= 0x80)
            at = read_long(at, end, &point);
        else
            at = point >= 0x20 ? at + 1 : NULL;
        if (!at) return NULL;
        out = write_point(out, point);
        characters++;
        if (blank) blank = is_space(point);
    }
    writer->at = out;
    writer->characters = characters;
    return blank ? NULL : at + 1;
}

/* What is known of a conversation so far; `cut` is where its last message's comma is written. */
typedef struct {
    uint8_t *cut;
    int32_t turns, characters, last_characters;
} turns_t;

/* Writes a message's head; between this and `end_turn` comes its text. */
static void begin_turn(writer_t *writer, turns_t *turns, text_t role)
{
    turns->cut = writer->at;
    if (turns->turns++) ADD(writer, ",");
    ADD(writer, "{\"role\":\"");
    memcpy(writer->at, role.start, (size_t)(role.end - role.start));
    writer->at += role.end - role.start;
    ADD(writer, "\",\"content\":\"");
}

static void end_turn(writer_t *writer, turns_t *turns, int32_t characters)
{
    turns->characters += turns->last_characters;
    turns->last_characters = characters;
    ADD(writer, "\"}");
}

static const text_t USER = {(const uint8_t *)"user", (const uint8_t *)"user" + 4};
static const text_t ASSISTANT = {(const uint8_t *)"assistant", (const uint8_t *)"assistant" + 9};

static bool write_turn(writer_t *writer, turns_t *turns, text_t role, text_t text)
{
    begin_turn(writer, turns, role);
    if (!write_text(writer, text.start, text.end + 1)) return false;
    end_turn(writer, turns, writer->characters);
    return true;
}

/* Reads {"role": "...", "content": "..."}, in any order, and writes it. */
static const uint8_t *read_turn(const uint8_t *at, const uint8_t *end, writer_t *writer, turns_t *turns, text_t *role)
{
    const uint8_t *behind = NULL;
    text_t name, content = {NULL, NULL};
    role->start = NULL;
    if (!(at = take(at, end, '{'))) return NULL;
    for (;;) {
        if (!(at = take_text(at, end, &name)) || !(at = take(at, end, ':'))) return NULL;
        if (IS(name, "role") && !role->start) {
            if (!(at = take_text(at, end, role))) return NULL;
            if (!IS(*role, "user") && !IS(*role, "assistant") && !IS(*role, "system")) return NULL;
        } else if (IS(name, "content") && !content.start && !behind) {
            if (role->start) {
                /* The usual order: the text need not be looked through twice. */
                if (at >= end || *at != '"') return NULL;
                begin_turn(writer, turns, *role);
                if (!(at = behind = write_text(writer, at + 1, end))) return NULL;
            } else if (!(at = take_text(at, end, &content))) {
                return NULL;
            }
        } else {
            return NULL;
        }
        const uint8_t *next = take(at, end, ',');
        if (!next) break;
        at = next;
    }
    if (behind)
        end_turn(writer, turns, writer->characters);
    else if (!role->start || !content.start || !write_turn(writer, turns, *role, content))
        return NULL;
    return take(at, end, '}');
}

static const uint8_t *read_chat(const uint8_t *at, const uint8_t *end, writer_t *writer, turns_t *turns)
{
    bool asks = false;
    text_t name, role;
    if (!(at = take(at, end, '{')) || !(at = take_text(at, end, &name)) || !IS(name, "messages")) return NULL;
    if (!(at = take(at, end, ':')) || !(at = take(at, end, '['))) return NULL;
    for (;;) {
        if (!(at = read_turn(at, end, writer, turns, &role))) return NULL;
        asks |= IS(role, "user");
        const uint8_t *next = take(at, end, ',');
        if (!next) break;
        at = next;
    }
    if (!asks || !IS(role, "assistant") || !(at = take(at, end, ']'))) return NULL;
    return take(at, end, '}');
}

static const uint8_t *read_prompt(const uint8_t *at, const uint8_t *end, writer_t *writer, turns_t *turns)
{
    static const char *const keys[] = {"prompt", "completion"};
    text_t values[2];
    if (!(at = take_fields(at, end, keys, 2, -1, values)) || !values[0].start || !values[1].start) return NULL;
    return write_turn(writer, turns, USER, values[0]) && write_turn(writer, turns, ASSISTANT, values[1]) ? at : NULL;
}

static const uint8_t *read_instruction(const uint8_t *at, const uint8_t *end, writer_t *writer, turns_t *turns)
{
    static const char *const keys[] = {"instruction", "output", "input"};
    text_t values[3];
    if (!(at = take_fields(at, end, keys, 3, 2, values)) || !values[0].start || !values[1].start) return NULL;
    begin_turn(writer, turns, USER);
    if (!write_text(writer, values[0].start, end)) return NULL;
    int32_t characters = writer->characters;
    if (values[2].start && values[2].start < values[2].end) {
        ADD(writer, "\\n\\n");
        if (!write_text(writer, values[2].start, end)) return NULL;
        characters += 2 + writer->characters;
    }
    end_turn(writer, turns, characters);
    return write_turn(writer, turns, ASSISTANT, values[1]) ? at : NULL;
}

static bool read_row(const uint8_t *at, const uint8_t *end, enum layout layout, writer_t *writer, turns_t *turns)
{
    /* The id is written later, when the row's digest is known. */
    ADD(writer, "{\"id\":\"--------------------------------\",\"slice\":\"all\",\"label\":null,\"messages\":[");
    at = layout == CHAT     ? read_chat(at, end, writer, turns)
         : layout == PROMPT ? read_prompt(at, end, writer, turns)
                            : read_instruction(at, end, writer, turns);
    if (at != end || turns->turns < 2) return false;
    ADD(writer, "]}\n");
    return true;
}

/* More than a line grows by: the marks and roles around its texts, and what `write_text` may write too much. */
#define GROWTH 160

/* Reads `size` bytes of whole lines, 2^31 at most, into columns with an item for every two bytes. A row has at most
   `max_row_bytes`, as it is read and as it is written; one that there is no room for is odd. */
void read_plain_rows(const uint8_t *data, int64_t size, int32_t layout, int64_t max_row_bytes, rows_t *rows)
{
    const uint8_t *at = data, *const stop = data + size;
    uint8_t *written = rows->text;
    rows->rows = rows->odd = rows->line_count = 0;
    for (; at < stop; rows->line_count++) {
        const uint8_t *end = memchr(at, '\n', (size_t)(stop - at)), *start;
        if (!end) end = stop;
        writer_t writer = {written, 0};
        turns_t turns = {NULL, 0, 0, 0};
        int64_t length = end - at;
        bool fits = length <= max_row_bytes && length + GROWTH <= rows->text + rows->room - written;
        if ((start = skip_blanks(at, end)) == end) {
            /* A blank line is no row. */
        } else if (fits && read_row(start, end, (enum layout)layout, &writer, &turns) &&
                   writer.at - written <= max_row_bytes) {
            int32_t row = rows->rows++;
            written = writer.at;
            rows->lines[row] = rows->line_count + 1;
            rows->raw_starts[row] = (int32_t)(at - data);
            rows->raw_ends[row] = (int32_t)(end - data);
            rows->cuts[row] = (int32_t)(turns.cut - rows->text);
            rows->ends[row] = (int32_t)(written - rows->text);
            rows->prompt_characters[row] = turns.characters;
            rows->answer_characters[row] = turns.last_characters;
            rows->turns[row] = turns.turns;
        } else {
            int32_t odd = rows->odd++;
            rows->odd_lines[odd] = rows->line_count + 1;
            rows->odd_starts[odd] = (int32_t)(at - data);
            rows->odd_ends[odd] = (int32_t)(end - data);
        }
        at = end + 1;
    }
}

/* Writes 16 bytes for each row into its line, as hexadecimal digits. Row i begins where row i - 1 ends. */
void write_ids(uint8_t *text, const int32_t *ends, int32_t rows, const uint8_t *ids)
{
    for (int32_t row = 0; row < rows; row++) {
        uint8_t *at = text + (row ? ends[row - 1] : 0) + sizeof("{\"id\":\"") - 1;
        for (int index = 0; index < 16; index++, ids++) {
            *at++ = (uint8_t)"0123456789abcdef"[*ids >> 4];
            *at++ = (uint8_t)"0123456789abcdef"[*ids & 15];
        }
    }
}
