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

enum { MOST = 1000 }; /* characters of attributes or of a comment */
#define INLINE_TAGS " a abbr b bdi bdo big cite code dfn em font i ins kbd mark q s samp small span strike strong sub sup tt u var wbr "

INLINE int is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F); }

/* Where what is neither `<` nor `>` ends, MOST characters at most. */
INLINE const uint8_t *inside(const uint8_t *p, const uint8_t *end) {
    for (int left = MOST; p < end && *p != '<' && *p != '>'; p++)
        if ((*p & 0xC0) != 0x80 && !left--) break;
    return p;
}

/* Bytes of the tag or comment at p, which is a `<`; 0: it is none, -1: that is for Python. `parts`: it parts words. */
static int64_t tag(const uint8_t *p, const uint8_t *end, int *parts) {
    const uint8_t *begin = p++;
    *parts = 1;
    if (end - p >= 3 && !memcmp(p, "!--", 3)) return -1;
    if (p < end && *p == '/') p++;
    char name[10] = " ";
    int size = 1;
    for (; p < end && *p < 0x80 && *p != '_' && ((is_letter(*p)) || (size > 1 && is_digit(*p))); p++) {
        if (size < 8) name[size] = (char)(*p | 0x20); /* a digit stays a digit */
        size++;
    }
    if (size == 1 || p == end) return 0;
    if (*p >= 0x80) return -1; /* it may be white space */
    if (size <= 8) {
        name[size] = ' ';
        *parts = !strstr(INLINE_TAGS, name);
    }
    if (*p != '>') {
        if (*p != '/' && !is_space(*p)) return 0;
        p = inside(p + 1, end);
        if (p == end || *p != '>') return 0;
    }
    return p + 1 - begin;
}

/* A text without its tags, in `out`; its end, or none: it is for Python. */
static const uint8_t *without_tags(const uint8_t *p, const uint8_t *end, uint8_t *out) {
    while (p < end) {
        int parts;
        int64_t size = *p == '<' ? tag(p, end, &parts) : 0;
        if (size < 0) return 0;
        if (!size)
            *out++ = *p++;
        else {
            p += size;
            if (parts) *out++ = ' ';
        }
    }
    return out;
}

/* Whether an entity may begin at p, which is a `&`. */
INLINE int is_entity(const uint8_t *p, const uint8_t *end) {
    return p + 1 < end && !strchr(" \t\n\f<&;", p[1]);
}

/* Whether the character at p may begin what a pattern of the folding changes; `size` bytes are its own. */
INLINE int marked_up(const uint8_t *p, const uint8_t *begin, const uint8_t *end, uint64_t entry, int size) {
    const uint8_t next = p + 1 < end ? p[1] : ' ', before = p > begin ? p[-1] : ' ';
    switch (p[0]) {
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
        if (what == IN_WORD && size == 1) {
            word[held++] = (uint8_t)entry;
            continue;
        }
        if (what == UNSAID || (raw && what != IN_WORD && marked_up(p, begin, end, entry, size))) return -1;
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

/* The same of a text that is not folded yet; `copy` has room for it. */
static int64_t raw_words(const uint8_t *p, const uint8_t *end, const uint64_t *table, const memory *known, uint8_t *copy,
                         uint8_t *word, uint64_t *out) {
    for (const uint8_t *at = p; (at = memchr(at, '&', (size_t)(end - at))); at++)
        if (is_entity(at, end)) return -1;
    if (memchr(p, '<', (size_t)(end - p))) {
        end = without_tags(p, end, copy);
        p = copy;
        if (!end) return -1;
    }
    return words(p, end, table, 1, known, word, out);
}

/* N-grams of `count` texts, one after the other; ends[i]: where those of text i end, or -1: it is for Python.
 *
 * `word` has room for three times the longest text and 32 bytes, `grams` for as many as all texts have bytes.
 */
EXPORT void regrow_ngrams(const uint8_t *data, const int64_t *starts, int64_t count, const uint64_t *table, int64_t raw,
                          int64_t n, uint64_t *places, int64_t bits, uint8_t *word, uint64_t *grams, int64_t *ends) {
    const memory known = {places, bits};
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t *own = grams + at;
        const uint8_t *p = data + starts[i], *end = data + starts[i + 1];
        uint8_t *copy = word + 2 * (end - p) + 2 * PAD;
        int64_t found = raw ? raw_words(p, end, table, &known, copy, word, own)
                            : words(p, end, table, 0, &known, word, own);
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
