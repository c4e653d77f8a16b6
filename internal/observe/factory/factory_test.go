package factory

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"xiezhi/rules"
)

func load(t testing.TB) *Keys {
	k, err := Load(rules.FS, func(s string) string { return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s)) })
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(key, plain []byte, gcm bool) string {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	iv := bytes.Repeat([]byte{7}, 16)
	if gcm {
		a, _ := cipher.NewGCMWithNonceSize(block, 16)
		return base64.StdEncoding.EncodeToString(a.Seal(iv, iv, plain, nil))
	}
	pad := 16 - len(plain)%16
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, plain)
	return base64.StdEncoding.EncodeToString(append(iv, out...))
}

func TestProduct(t *testing.T) {
	k := load(t)
	known, _ := base64.StdEncoding.DecodeString("kPH+bIxk5D2deZiIxcaaaA==")
	own := []byte("sixteen own byte")
	object := append([]byte{0xAC, 0xED, 0x00, 0x05, 's', 'r'}, "org.apache.shiro.subject.SimplePrincipalCollection"...)
	secret, iv := bytesToKey([]byte("abcde"), 24)
	project := func(text string) string {
		block, _ := aes.NewCipher(secret)
		pad := 16 - len(text)%16
		b := append([]byte(text), bytes.Repeat([]byte{byte(pad)}, pad)...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(b, b)
		return hex.EncodeToString(b)
	}
	for _, c := range []struct{ name, value, want string }{
		{"rememberme", seal(known, bytes.Clone(object), false), "Apache Shiro"},
		{"rememberme", seal(known, bytes.Clone(object), true), "Apache Shiro"},
		{"rememberme", seal(own, bytes.Clone(object), false), ""},
		{"rememberme", seal(own, bytes.Clone(object), true), ""},
		{"rememberme", seal(known, []byte("no object but a text"), false), ""},
		{"rememberme", "deleteMe", ""},
		{"session", seal(known, bytes.Clone(object), false), ""},
		{"token", project("11|a1b2c3d4e5f6a7b8c9d0"), "YApi"},
		{"token", project("11|not of hexadecimal digits"), ""},
		{"token", strings.Repeat("0123456789abcdef", 4), ""},
		{"xxljobaccesstoken", "default_token", "XXL-JOB"},
		{"xxljobaccesstoken", "default_tokens", ""},
		{"serveridentity", "security", "Nacos"},
	} {
		if got := k.Product(c.name, []byte(c.value)); got != c.want {
			t.Errorf("%s=%.40s: %q, want %q", c.name, c.value, got, c.want)
		}
	}
}

func FuzzProduct(f *testing.F) {
	k := load(f)
	f.Add("rememberme", []byte("AAAA"))
	f.Add("token", []byte(strings.Repeat("ab", 32)))
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		before := bytes.Clone(value)
		k.Product(name, value)
		if !bytes.Equal(before, value) {
			t.Fatal("the value was changed")
		}
	})
}
