/* The n-grams of texts in UTF-8: folded, cut into words, numbered, as regrow.data.dedup.folding, splitting, numbering
 * and shingles define it. A table says of each character of 16 bits what it becomes and what it is in a word; a text
 * with anything that a table by characters cannot say is given back, and Python does it.
 */
#include "integers.h"

/* An entry of the table: what the character becomes (5 bytes at most), their number, its kind, flags. */
enum { LENGTH = 40, KIND = 44, SEPARATES = 48, WHITE = 49, STEADY = 50 };
enum { UNSAID, PARTS, LONE, IN_WORD, APOSTROPHE };
enum { PAD = 16 }; /* bytes of a word that has a place in the memory of numbers */

INLINE int kind(uint64_t entry) { return (int)(entry >> KIND & 7); }
INLINE int flag(uint64_t entry, int which) { return (int)(entry >> which & 1); }

/* The table's entry for the character at p, and its bytes; 0, which says nothing, for one beyond 16 bits. */
INLINE uint64_t look(const uint8_t *p, const uint64_t *table, int *size) {
    if (p[0] < 0x80) return *size = 1, table[p[0]];
    if (p[0] < 0xE0) return *size = 2, table[(p[0] & 0x1F) << 6 | (p[1] & 0x3F)];
    if (p[0] < 0xF0) return *size = 3, table[(p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F)];
    return *size = 4, 0;
}

INLINE int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
INLINE int is_letter(uint8_t c) { return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c >= 0x80; }

/* Whether a tag may begin at p, which is a `<`: a name and `>`, or what may be attributes up to a `>`; or a comment. */
INLINE int is_tag(const uint8_t *p, const uint8_t *end) {
    if (++p < end && *p == '!') return 1;
    if (p < end && *p == '/') p++;
    const uint8_t *name = p;
    while (p < end && *p < 0x80 && *p != '_' && (is_letter(*p) || is_digit(*p))) p++;
    if (p == name || p == end) return 0;
    if (*p < 0x80 && *p > ' ' && *p != '/') return *p == '>';
    while (p < end && *p != '<' && *p != '>') p++;
    return p < end && *p == '>';
}

/* Whether the character at p may begin what a pattern of the folding changes; `size` bytes are its own. */
INLINE int marked_up(const uint8_t *p, const uint8_t *begin, const uint8_t *end, uint64_t entry, int size) {
    const uint8_t next = p + 1 < end ? p[1] : ' ', before = p > begin ? p[-1] : ' ';
    switch (p[0]) {
    case '&': return !(next == ' ' || next == '\t' || next == '\n' || next == '\f' || next == '<' || next == '&' || next == ';');
    case '<': return is_tag(p, end);
    case ']': return next == '(';
    case '*': return is_letter(before) && before != '_' && (is_letter(next) || next == '*');
    case '~': return is_letter(before) && before != '_' && next == '~';
    default: break;
    }
    if (!flag(entry, SEPARATES) || !is_digit(before) || end - p < size + 3) return 0;
    return is_digit(p[size]) && is_digit(p[size + 1]) && is_digit(p[size + 2]);
}

typedef struct {
    uint64_t *places; /* low, high, number of a word */
    int64_t bits;
} memory;

/* The number of a word, behind which PAD bytes may be written. */
INLINE uint64_t numbered(const memory *known, uint8_t *word, int64_t size) {
    uint64_t low, high;
    if (size > PAD) return regrow_blake2b(word, size);
    memset(word + size, 0, PAD);
    memcpy(&low, word, 8);
    memcpy(&high, word + 8, 8);
    uint64_t *place = known->places + 3 * (mix(low ^ mix(high)) >> (64 - known->bits));
    if (place[0] != low || place[1] != high) {
        place[0] = low, place[1] = high;
        place[2] = regrow_blake2b(word, size);
    }
    return place[2];
}

/* Numbers of the words of one text; how many, or -1. */
static int64_t words(const uint8_t *p, const uint8_t *end, const uint64_t *table, int raw, const memory *known,
                     uint8_t *word, uint64_t *out) {
    const uint8_t *begin = p;
    int64_t count = 0, held = 0;
    for (int size; p < end; p += size) {
        uint64_t entry = look(p, table, &size);
        int what = kind(entry), ahead;
        if (what == UNSAID || (raw && marked_up(p, begin, end, entry, size))) return -1;
        if (what == APOSTROPHE) /* it is inside a word only between two of its characters */
            what = held && p + size < end && kind(look(p + size, table, &ahead)) == IN_WORD ? IN_WORD : PARTS;
        if (what != IN_WORD && held) out[count++] = numbered(known, word, held), held = 0;
        if (what == PARTS) continue;
        memcpy(word + held, &entry, 8);
        held += entry >> LENGTH & 7;
        if (what == LONE) out[count++] = numbered(known, word, held), held = 0;
    }
    if (held) out[count++] = numbered(known, word, held);
    return count;
}

/* N-grams of `count` texts, one after the other; ends[i]: where those of text i end, or -1: it is for Python.
 *
 * `word` has room for twice the longest text and 32 bytes, `grams` for as many as all texts have bytes.
 */
EXPORT void regrow_ngrams(const uint8_t *data, const int64_t *starts, int64_t count, const uint64_t *table, int64_t raw,
                          int64_t n, uint64_t *places, int64_t bits, uint8_t *word, uint64_t *grams, int64_t *ends) {
    const memory known = {places, bits};
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t *own = grams + at;
        int64_t found = words(data + starts[i], data + starts[i + 1], table, (int)raw, &known, word, own);
        if (found < 0) {
            ends[i] = -1;
            continue;
        }
        int64_t wide = found < n ? found : n, last = found ? found - wide + 1 : 0;
        for (int64_t j = 0; j < last; j++) {
            uint64_t total = 0;
            for (int64_t k = 0; k < wide; k++) total = total * 0x9E3779B97F4A7C15u + own[j + k];
            own[j] = mix(total);
        }
        ends[i] = at += last;
    }
}

/* Texts with white space run to one space, none at the ends (regrow.data.dedup.exact); -1: not surely in NFC. */
EXPORT void regrow_plain(const uint8_t *data, const int64_t *starts, int64_t count, const uint64_t *table, uint8_t *out,
                         int64_t *ends) {
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *p = data + starts[i], *end = data + starts[i + 1];
        int64_t place = at, space = 0;
        for (int size; p < end; p += size) {
            uint64_t entry = look(p, table, &size);
            if (!flag(entry, STEADY)) break;
            if (flag(entry, WHITE)) {
                space = place > at;
                continue;
            }
            if (space) out[place++] = ' ', space = 0;
            for (int k = 0; k < size; k++) out[place++] = p[k];
        }
        ends[i] = p < end ? -1 : (at = place);
    }
}
