package sensitive

import (
	"strings"
	"unicode/utf8"
)

const (
	maxNameWords = 12
	maxNameBytes = 96
)

// HintOf tells what a field name promises. It takes a name or a dotted path
// ("user.phones[]"): the last part decides, its parent says whose name a name
// is. It allocates nothing; callers that see a path often remember the answer.
func HintOf(name string) Hint {
	last, parent := lastParts(name)
	if last == "" || len(last) > maxNameBytes {
		return HintNone
	}
	l := words()
	for i := range len(last) {
		if last[i] >= utf8.RuneSelf {
			return l.hanHint(last)
		}
	}
	var w nameWords
	if !w.split(last) {
		return HintNone
	}
	if h, ok := l.whole[string(w.buf[:w.end(w.n-1)])]; ok {
		return h
	}
	if w.n > 1 && l.notFirst[string(w.word(0))] {
		return HintNone
	}
	for range 3 { // up to two trailing words
		if h, from := l.phrase(&w); h != HintNone {
			return l.inContext(h, &w, from, parent)
		}
		if !w.shorten(l) {
			break
		}
	}
	return HintNone
}

// lastParts gives the last two components that are names: array marks,
// indices and separators do not count.
func lastParts(name string) (last, parent string) {
	end := len(name)
	for end > 0 {
		begin := end
		for begin > 0 && !partEnd(name[begin-1]) {
			begin--
		}
		if part := name[begin:end]; part != "" && !numeric(part) {
			if last != "" {
				return last, part
			}
			last = part
		}
		end = begin - 1
	}
	return last, ""
}

func partEnd(c byte) bool {
	return c == '.' || c == '[' || c == ']' || c == '/' || c == '$' || c == ':' || c == '"' || c == '\'' || c == '@'
}

func numeric(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// nameWords are the words of a name in lower case, stored run together.
type nameWords struct {
	buf  [maxNameBytes]byte
	from [maxNameWords + 1]uint8 // from[n] is the end
	n    int
}

func (w *nameWords) word(i int) []byte { return w.buf[w.from[i]:w.from[i+1]] }
func (w *nameWords) end(i int) uint8   { return w.from[i+1] }

// split cuts camelCase, snake_case, kebab-case and blanks. False means that
// there is no word.
func (w *nameWords) split(s string) bool {
	p := 0
	open := false
	for i := range len(s) {
		c := s[i]
		if plainClass[c]&alnum == 0 {
			open = false
			continue
		}
		if open && plainClass[c]&cUpper != 0 {
			after := plainClass[s[i-1]]&cUpper == 0                            // realName
			before := i+1 < len(s) && plainClass[s[i+1]]&cLower != 0 && !after // IDCard
			if after || before && !(i+2 == len(s) && s[i+1] == 's') {
				open = false
			}
		}
		if !open {
			if w.n == maxNameWords {
				break
			}
			w.from[w.n] = uint8(p)
			w.n++
			open = true
		}
		w.buf[p] = lower(c)
		p++
		w.from[w.n] = uint8(p)
	}
	return w.n > 0
}

// shorten drops a last word, or its last digits, that does not change what the
// name promises.
func (w *nameWords) shorten(l *lexicon) bool {
	last := w.word(w.n - 1)
	if k := len(last); k > 1 && isDigit(last[k-1]) && !l.trailing[string(last)] {
		for k > 0 && isDigit(last[k-1]) {
			k--
		}
		w.from[w.n] = w.from[w.n-1] + uint8(k)
		if k > 0 {
			return true
		}
	} else if !l.trailing[string(last)] && !(len(last) == 1 && isDigit(last[0])) {
		return false
	}
	w.n--
	return w.n > 0
}

// phrase finds the longest phrase that ends the name and the word it begins at.
func (l *lexicon) phrase(w *nameWords) (Hint, int) {
	end := w.end(w.n - 1)
	for i := range w.n {
		if h, ok := l.phrases[string(w.buf[w.from[i]:end])]; ok {
			return h, i
		}
	}
	if last := w.word(w.n - 1); len(last) > 3 && last[len(last)-1] == 's' {
		cut := end - 1
		if len(last) > 5 && last[len(last)-2] == 'e' && last[len(last)-3] == 's' { // addresses
			cut--
		}
		for i := range w.n {
			if h, ok := l.phrases[string(w.buf[w.from[i]:cut])]; ok {
				return h, i
			}
		}
	}
	last := string(w.word(w.n - 1))
	for _, e := range l.ends {
		if strings.HasSuffix(last, e.text) {
			return e.hint, w.n - 1
		}
	}
	return HintNone, 0
}

// inContext settles what the words in front of a phrase, or the parent, decide.
func (l *lexicon) inContext(h Hint, w *nameWords, from int, parent string) Hint {
	if from > 0 && l.notAfter[h][string(w.word(from-1))] {
		return HintNone
	}
	if h != HintAnyName {
		return h
	}
	if from > 0 {
		if l.persons[string(w.word(from-1))] {
			return HintName
		}
		return HintNone // the name of something we do not know
	}
	var p nameWords
	if len(parent) <= maxNameBytes && p.split(parent) {
		word := p.word(p.n - 1)
		if l.persons[string(word)] {
			return HintName
		}
		single := word
		if len(word) > 3 && word[len(word)-1] == 's' {
			single = word[:len(word)-1]
			if string(single[len(single)-2:]) == "ie" { // categories
				p.buf[int(p.from[p.n])-3] = 'y'
				single = word[:len(word)-2]
			}
		}
		if l.persons[string(single)] {
			return HintName
		}
		if l.things[string(word)] || l.things[string(single)] {
			return HintNone
		}
	}
	return HintAnyName
}

// hanHint judges a Chinese name by its longest known ending.
func (l *lexicon) hanHint(name string) Hint {
	if strings.HasPrefix(name, "是否") || strings.HasPrefix(name, "有无") {
		return HintNone
	}
	var buf [3 * maxNameBytes]byte // a byte that is no UTF-8 counts as U+FFFD, which takes three
	n := 0
	for _, r := range name {
		if r == ' ' || r == '　' || r == '：' || r == '(' || r == ')' || r == '（' || r == '）' || r == '*' {
			continue
		}
		if r < utf8.RuneSelf {
			buf[n] = lower(byte(r))
			n++
			continue
		}
		n += copy(buf[n:], string(r))
	}
	for _, tail := range [...]string{"", "是", "为", "号", "号码"} {
		b := buf[:n]
		if tail != "" {
			if !strings.HasSuffix(string(b), tail) {
				continue
			}
			b = b[:n-len(tail)]
		}
		for i := max(0, len(b)-l.longestHan); i < len(b); i++ {
			if h, ok := l.han[string(b[i:])]; ok && utf8.RuneStart(b[i]) {
				return h
			}
		}
	}
	return HintNone
}
