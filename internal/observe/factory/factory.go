// Package factory tells credentials that were made with the keys which products
// are shipped with: whoever has the product can make them.
//
// It takes the name and the value of a credential and gives the product, from
// the list of rules/default_keys.yaml. Invariant: a hit is certain, since the
// value decrypts to what only the product writes, or is the default itself; the
// answer depends on nothing but name and value. Limits: 64 keys, values of 64
// KiB; a value is tried against the keys of its name only.
package factory

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"
)

const (
	file     = "default_keys.yaml"
	maxKeys  = 64
	maxValue = 64 << 10
)

// Keys are the keys of all products, by the names of the credentials that are
// made with them. They are immutable.
type Keys struct{ byName map[string][]key }

type key struct {
	product string
	match   func(value []byte) bool
}

type keysDoc struct {
	Products []struct {
		ID     string   `yaml:"id"`
		Name   string   `yaml:"name"`
		Source string   `yaml:"source"`
		Scheme string   `yaml:"scheme"`
		Names  []string `yaml:"names"`
		Keys   []string `yaml:"keys"`
	} `yaml:"products"`
}

// Load reads default_keys.yaml. normal spells a name as Product is asked for it.
func Load(fsys fs.FS, normal func(string) string) (*Keys, error) {
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	var doc keysDoc
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	k := &Keys{byName: map[string][]key{}}
	n := 0
	for _, p := range doc.Products {
		if p.ID == "" || p.Name == "" || p.Source == "" || len(p.Names) == 0 || len(p.Keys) == 0 {
			return nil, fmt.Errorf("%s: product %q needs id, name, source, names and keys", file, p.ID)
		}
		for _, text := range p.Keys {
			if n++; n > maxKeys {
				return nil, fmt.Errorf("%s: more than %d keys", file, maxKeys)
			}
			match, err := matcher(p.Scheme, text)
			if err != nil {
				return nil, fmt.Errorf("%s: product %q: %w", file, p.ID, err)
			}
			for _, name := range p.Names {
				name = normal(name)
				k.byName[name] = append(k.byName[name], key{p.Name, match})
			}
		}
	}
	return k, nil
}

func matcher(scheme, text string) (func([]byte) bool, error) {
	switch scheme {
	case "literal":
		return func(v []byte) bool { return string(v) == text }, nil
	case "shiro":
		secret, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", text, err)
		}
		block, err := aes.NewCipher(secret)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", text, err)
		}
		sealed, err := cipher.NewGCMWithNonceSize(block, aes.BlockSize)
		if err != nil {
			return nil, err
		}
		return func(v []byte) bool { return remembered(block, sealed, v) }, nil
	case "openssl":
		secret, iv := bytesToKey([]byte(text), 24)
		block, err := aes.NewCipher(secret)
		if err != nil {
			return nil, err
		}
		return func(v []byte) bool { return projectToken(block, iv, v) }, nil
	}
	return nil, fmt.Errorf("scheme %q is unknown", scheme)
}

// Product gives the product whose default key made the value, "" when none did.
func (k *Keys) Product(normal string, value []byte) string {
	list := k.byName[normal]
	if len(list) == 0 || len(value) > maxValue {
		return ""
	}
	for i := range list {
		if list[i].match(value) {
			return list[i].product
		}
	}
	return ""
}

// serialised begins every Java object stream.
var serialised = []byte{0xAC, 0xED, 0x00, 0x05}

// remembered reports whether the cookie opens under the key to a serialised
// object: IV and AES-CBC text, or IV and AES-GCM text.
func remembered(block cipher.Block, sealed cipher.AEAD, v []byte) bool {
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(v)))
	n, err := base64.StdEncoding.Decode(raw, v)
	if raw = raw[:n]; err != nil || n < 2*aes.BlockSize {
		return false
	}
	iv, text := raw[:aes.BlockSize], raw[aes.BlockSize:]
	if len(text)%aes.BlockSize == 0 {
		var first [aes.BlockSize]byte
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(first[:], text[:aes.BlockSize])
		if bytes.HasPrefix(first[:], serialised) {
			return true
		}
	}
	open, err := sealed.Open(nil, iv, text, nil)
	return err == nil && bytes.HasPrefix(open, serialised)
}

// projectToken reports whether the hex text opens to a user's number and the
// project's token.
func projectToken(block cipher.Block, iv, v []byte) bool {
	if len(v) < 4*aes.BlockSize || len(v)%(2*aes.BlockSize) != 0 || len(v) > 16*aes.BlockSize {
		return false
	}
	raw := make([]byte, len(v)/2)
	if _, err := hex.Decode(raw, v); err != nil {
		return false
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(raw, raw)
	pad := int(raw[len(raw)-1])
	if pad == 0 || pad > aes.BlockSize || !bytes.Equal(raw[len(raw)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return false
	}
	user, token, ok := bytes.Cut(raw[:len(raw)-pad], []byte{'|'})
	if !ok || len(user) == 0 || len(token) < 16 {
		return false
	}
	for _, c := range user {
		if c-'0' > 9 {
			return false
		}
	}
	for _, c := range token {
		if c-'0' > 9 && c-'a' > 5 {
			return false
		}
	}
	return true
}

// bytesToKey is OpenSSL's EVP_BytesToKey with MD5, one round and no salt.
func bytesToKey(passphrase []byte, size int) (secret, iv []byte) {
	var all, last []byte
	for len(all) < size+aes.BlockSize {
		sum := md5.Sum(append(last, passphrase...))
		last = sum[:]
		all = append(all, last...)
	}
	return all[:size], all[size : size+aes.BlockSize]
}
