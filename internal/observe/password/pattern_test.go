package password

import (
	"crypto/md5"
	"testing"
)

func TestPattern(t *testing.T) {
	a := assessor(t)
	for pw, want := range map[string]Pattern{
		"888888": PatternRepeat, "123123": PatternRepeat, "abab": PatternRepeat, "aaa": PatternRepeat, "AAaa": PatternRepeat,
		"123456": PatternSequence, "1234567890": PatternSequence, "abcdef": PatternSequence, "87654321": PatternSequence,
		"19900101": PatternDate, "900101": PatternDate, "01011990": PatternDate,
		"84029571": PatternDigits, "13800138000": PatternDigits, "991399": PatternDigits,
		"qwerty": PatternKeyboard, "1qaz2wsx": PatternKeyboard, "asdfghjkl": PatternKeyboard,
		"sunshine": PatternLetters, "ZhangWei": PatternLetters,
		"a123456": PatternWord, "zhang1990": PatternWord, "123456a": PatternWord,
		"xq7Lw!2mVz": PatternMixed, "P@ssw0rd": PatternMixed, "a1b2c3": PatternMixed, "密码很长": PatternMixed,
		hexOf(md5.Sum([]byte("123456"))):     PatternSequence, // the client hashed a listed one
		hexOf(md5.Sum([]byte("xq7Lw!2mVz"))): PatternNone,
	} {
		if got := a.Assess([]byte(pw), Context{}).Pattern; got != want {
			t.Errorf("%q: %v, want %v", pw, got, want)
		}
	}
}

func TestDefaults(t *testing.T) {
	a := assessor(t)
	for _, c := range []struct {
		account, pw string
		product     string
		privileged  bool
	}{
		{"admin", "admin", "generic", true},
		{"Admin", "123456", "generic", true},
		{"admin", hexOf(md5.Sum([]byte("admin"))), "generic", true},
		{"nacos", "nacos", "nacos", false},
		{"admin", hexOf(md5.Sum([]byte("geoserver"))), "geoserver", true},
		{"guest", "guest", "rabbitmq", false},
		{"elastic", "changeme", "elasticsearch", false},
		{"tomcat", "s3cret", "tomcat", false},
		{"Admin", "zabbix", "zabbix", true},
		{"sa", "sa", "sqlserver", true},
		{"root", "xq7Lw!2mVz", "", true},
		{"alice", "123456", "", false},
		{"admin", "Nacos", "", true}, // passwords have a case
		{"administration-office", "admin", "", false},
		{"", "admin", "", false},
	} {
		got := a.Assess([]byte(c.pw), Context{Account: []byte(c.account)})
		if a.Product(got.Default) != c.product || got.Privileged != c.privileged {
			t.Errorf("%s/%s: product %q, privileged %v", c.account, c.pw, a.Product(got.Default), got.Privileged)
		}
	}
	mail := a.Assess([]byte("ymfe.org"), Context{Email: []byte("admin@admin.com")})
	if a.Product(mail.Default) != "yapi" || !mail.Privileged {
		t.Errorf("an e-mail address as account: %+v", mail)
	}
	if a.Product(0) != "" || a.Product(255) != "" {
		t.Error("a product for no number")
	}
}
