package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// reportPath shows a report as a page of its own, for a frame of the console and
// for printing. It takes the parameters of /api/v1/report but for the format.
const reportPath = "/report/view"

// maxPage bounds a report that is shown: it is held while its styles are looked
// for.
const maxPage = 64 << 20

// view asks the API for a report as HTML, in the name of who looks, and shows it
// under a policy of its own: nothing runs in it, nothing is loaded, the styles
// are those that the report carries, told by their hashes, and only the console
// may frame it. What the API refuses is handed on as it is.
func (c *Console) view(w http.ResponseWriter, r *http.Request) {
	if !reading(w, r) {
		return
	}
	query := r.URL.Query()
	query.Set("format", "html")
	ask := r.Clone(r.Context())
	ask.Method, ask.Body, ask.ContentLength = http.MethodGet, http.NoBody, 0
	ask.URL = &url.URL{Path: "/api/v1/report", RawQuery: query.Encode()}
	ask.RequestURI = ask.URL.RequestURI()
	got := &bounded{answer: answer{header: http.Header{}, status: http.StatusOK}, room: maxPage}
	c.cfg.API.ServeHTTP(got, ask)
	media := got.header.Get("Content-Type")
	switch {
	case got.over:
		got.status, media = http.StatusInsufficientStorage, "application/problem+json"
		got.body.Reset()
		got.body.WriteString(c.tooLarge(r))
	case got.status == http.StatusOK && !strings.HasPrefix(media, "text/html"):
		c.fail(w, io.ErrUnexpectedEOF)
		return
	}
	styles := ""
	for _, s := range stylesOf(got.body.Bytes()) {
		styles += " 'sha256-" + s + "'"
	}
	if styles == "" {
		styles = " 'none'"
	}
	protect(w, r, "default-src 'none'; style-src"+styles+"; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-modals")
	h := w.Header()
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Type", media)
	if wait := got.header.Get("Retry-After"); wait != "" {
		h.Set("Retry-After", wait)
	}
	w.WriteHeader(got.status)
	_, _ = w.Write(got.body.Bytes())
}

// tooLarge is a problem as those of the API.
func (c *Console) tooLarge(r *http.Request) string {
	t := c.cfg.Messages.Text("console.report.too_large", nil)
	title := t.En
	if lang := r.URL.Query().Get("lang"); lang == "zh" {
		title = t.Zh
	}
	b, err := json.Marshal(map[string]any{"type": "urn:xiezhi:problem:too_large", "title": title, "status": http.StatusInsufficientStorage, "code": "too_large"})
	if err != nil {
		return "{}" // strings and a number always have JSON
	}
	return string(b)
}

// bounded is an answer that takes no more than it has room for.
type bounded struct {
	answer
	room int
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.over || b.body.Len()+len(p) > b.room {
		b.over = true
		return len(p), nil // the API goes on as if it had been taken
	}
	return b.answer.Write(p)
}

// stylesOf gives the hashes of the style elements of a page, as a policy names
// them.
func stylesOf(page []byte) (hashes []string) {
	for {
		i := bytes.Index(page, []byte("<style>"))
		if i < 0 {
			return hashes
		}
		page = page[i+len("<style>"):]
		end := bytes.Index(page, []byte("</style>"))
		if end < 0 {
			return hashes
		}
		sum := sha256.Sum256(page[:end])
		hashes = append(hashes, base64.StdEncoding.EncodeToString(sum[:]))
		page = page[end:]
	}
}
