package victim

import (
	"encoding/json"
	"net/http"
)

// WriteJSON answers with a plain value as JSON of a content type.
func WriteJSON(w http.ResponseWriter, status int, contentType string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only plain values are written
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
