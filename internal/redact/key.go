package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// keyHeader is the first line of a key file, so that any other file given by
// mistake is refused instead of becoming a key.
const keyHeader = "xiezhi-key-v1"

// GenerateKey reads a new key from rand.
func GenerateKey(rand io.Reader) ([32]byte, error) {
	var key [32]byte
	if _, err := io.ReadFull(rand, key[:]); err != nil {
		return [32]byte{}, fmt.Errorf("generate key: %w", err)
	}
	if key == ([32]byte{}) {
		return key, errors.New("generate key: the random source gives only zeros")
	}
	return key, nil
}

// FormatKey gives the text of a key file: the header line and the key in
// hexadecimal.
func FormatKey(key [32]byte) []byte {
	return []byte(keyHeader + "\n" + hex.EncodeToString(key[:]) + "\n")
}

// ParseKey reads the text of a key file: the header line, then one line of 64
// hexadecimal digits or of base64 of 32 bytes. Blank lines and lines that
// begin with # are skipped. Errors never quote the file's content.
func ParseKey(text []byte) ([32]byte, error) {
	var key [32]byte
	if len(text) > 4096 {
		return key, fmt.Errorf("not a key file: %d bytes, a key file has about 80", len(text))
	}
	var lines [][]byte
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return key, errors.New("not a key file: it is empty")
	}
	if string(lines[0]) != keyHeader {
		return key, fmt.Errorf("not a key file: the first line is not %q", keyHeader)
	}
	if len(lines) != 2 {
		return key, fmt.Errorf("damaged key file: %d lines follow the header, expected 1", len(lines)-1)
	}
	raw, err := hex.DecodeString(string(lines[1]))
	if err != nil || len(raw) != len(key) {
		raw, err = base64.StdEncoding.DecodeString(string(lines[1]))
		if err != nil {
			raw, err = base64.RawStdEncoding.DecodeString(string(lines[1]))
		}
	}
	if err != nil || len(raw) != len(key) {
		return key, errors.New("damaged key file: the key is not 64 hexadecimal digits or base64 of 32 bytes")
	}
	copy(key[:], raw)
	if key == ([32]byte{}) {
		return key, errors.New("damaged key file: the key is all zeros")
	}
	return key, nil
}
