package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
)

// placeholder stands in the built page where the nonce goes.
const placeholder = "XIEZHI_NONCE"

// page is index.html, cut where the nonce goes.
type page [][]byte

func readPage(files fs.FS) (page, error) {
	b, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, fmt.Errorf("console: the build has no page: %w; build it with make console", err)
	}
	p := page(bytes.Split(b, []byte(placeholder)))
	if len(p) < 2 {
		return nil, errors.New("console: the built page has no place for the nonce")
	}
	return p, nil
}

// index is the one page of the console, whatever the path.
func (c *Console) index(w http.ResponseWriter, r *http.Request) {
	if !reading(w, r) {
		return
	}
	nonce, err := c.nonce()
	if err != nil {
		c.fail(w, err)
		return
	}
	// Styles in attributes are how charts and tables place what they draw; they
	// can load nothing under this policy.
	protect(w, r, "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; "+
		"style-src-elem 'self' 'nonce-"+nonce+"'; style-src-attr 'unsafe-inline'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(bytes.Join(c.page, []byte(nonce)))
}

// file is a file of the build, compressed when it is first asked for.
type file struct {
	plain []byte
	media string
	tag   string
	fixed bool // its name changes with its content

	br, gz sync.Once
	brotli []byte
	gzip   []byte
}

func readFiles(files fs.FS) (map[string]*file, error) {
	all := map[string]*file{}
	return all, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "index.html" {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		all["/"+name] = &file{plain: b, media: media(name), tag: `"` + hex.EncodeToString(sum[:12]) + `"`, fixed: strings.HasPrefix(name, "assets/")}
		return nil
	})
}

func media(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	if m := mime.TypeByExtension(path.Ext(name)); m != "" {
		return m
	}
	return "application/octet-stream"
}

// file serves a file of the build.
func (c *Console) file(w http.ResponseWriter, r *http.Request) {
	if !reading(w, r) {
		return
	}
	protect(w, r, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'") // an SVG opened by itself
	f := c.files[r.URL.Path]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if f.fixed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Type", f.media)
	h.Set("Vary", "Accept-Encoding")
	body, encoding := f.plain, ""
	switch accepted := r.Header.Get("Accept-Encoding"); {
	case takes(accepted, "br"):
		body, encoding = f.asBrotli(), "br"
	case takes(accepted, "gzip"):
		body, encoding = f.asGzip(), "gzip"
	}
	tag := f.tag
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		tag = strings.TrimSuffix(tag, `"`) + "-" + encoding + `"`
	}
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body)
}

// takes reports whether an Accept-Encoding names an encoding without refusing it.
func takes(accepted, encoding string) bool {
	for part := range strings.SplitSeq(accepted, ",") {
		name, quality, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), encoding) {
			q := strings.ReplaceAll(quality, " ", "")
			return !strings.HasPrefix(q, "q=0") || strings.ContainsAny(q[len("q=0"):], "123456789")
		}
	}
	return false
}

func (f *file) asBrotli() []byte {
	f.br.Do(func() {
		var b bytes.Buffer
		z := brotli.NewWriterLevel(&b, 6)
		_, _ = z.Write(f.plain) // a bytes.Buffer takes everything
		_ = z.Close()
		f.brotli = b.Bytes()
	})
	return f.brotli
}

func (f *file) asGzip() []byte {
	f.gz.Do(func() {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(f.plain)
		_ = z.Close()
		f.gzip = b.Bytes()
	})
	return f.gzip
}
