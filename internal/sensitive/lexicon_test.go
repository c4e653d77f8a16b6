package sensitive

import (
	"strings"
	"testing"

	"xiezhi/rules"
)

func TestFieldNamesKeepTheirCases(t *testing.T) {
	b, err := rules.FS.ReadFile("fields.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFields(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Hints) != int(hintCount)-1 {
		t.Errorf("%d hints in the file, %d in the code", len(f.Hints), hintCount-1)
	}
	for id, rule := range f.Hints {
		if len(rule.Match) == 0 || len(rule.Skip) == 0 {
			t.Errorf("%s lacks cases that must and must not match", id)
		}
		for _, name := range rule.Match {
			if got := HintOf(name).String(); got != id {
				t.Errorf("HintOf(%q) = %q, want %s", name, got, id)
			}
		}
		for _, name := range rule.Skip {
			if got := HintOf(name).String(); got == id {
				t.Errorf("HintOf(%q) = %s, want anything else", name, got)
			}
		}
	}
}

func TestHintOfReadsContextAndSpelling(t *testing.T) {
	for name, want := range map[string]Hint{
		"":                           HintNone,
		"[]":                         HintNone,
		"0":                          HintNone,
		"user.name":                  HintName,
		"users[].name":               HintName,
		"data.employees[3].name":     HintName,
		"product.name":               HintNone,
		"categories[].name":          HintNone,
		"data.rows[].name":           HintAnyName,
		"userName":                   HintAccountName,
		"USER_NAME":                  HintAccountName,
		"user-name":                  HintAccountName,
		"IDCard":                     HintResidentID,
		"idCardNo":                   HintResidentID,
		"IDCardNumber":               HintResidentID,
		"phones[]":                   HintMobile,
		"addresses[]":                HintAddress,
		"emailAddresses[0]":          HintEmail,
		"custpassword":               HintPassword,
		"x":                          HintNone,
		"xm":                         HintName,
		"xmlns":                      HintNone,
		"联系人手机号码":                    HintMobile,
		"是否有密码":                      HintNone,
		"用户密码是":                      HintPassword,
		"\xff\xfe":                   HintNone,
		"$.data[0].身份证号":             HintResidentID,
		"a.b.c.d.e.f.g.access_token": HintToken,
		"public_key":                 HintNone,
		"passwordMd5":                HintPassword,
		"password2":                  HintPassword,
		"phone1":                     HintMobile,
		"md5":                        HintNone,
		"aws_secret_access_key":      HintSecretKey,
		"total_tokens":               HintNone,
		"ASP.NET_SessionId":          HintSessionID,
		"insured.name":               HintName,
		"cardholderName":             HintName,
		"id_card_name":               HintNone,
		"contractAddress":            HintNone,
		"clientIP":                   HintIP,
		"deliveryAddress":            HintAddress,
		"wechatOpenId":               HintPseudonym,
		"thisIsAVeryLongFieldNameOfManyWordsThatExceedsTheCapOfWordsPassword": HintNone,
	} {
		if got := HintOf(name); got != want {
			t.Errorf("HintOf(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestHintsAreComplete(t *testing.T) {
	for h := HintNone + 1; h < hintCount; h++ {
		if h.String() == "" || h.Type() == 0 {
			t.Errorf("hint %d has name %q and type %v", h, h, h.Type())
		}
	}
	if hintCount.String() != "" || hintCount.Type() != 0 || HintNone.Type() != 0 {
		t.Error("a foreign hint must not crash, HintNone has no type")
	}
}

// A name of bytes that are no UTF-8 grows when it is read as characters.
func TestHintOfDamagedName(t *testing.T) {
	for _, c := range []string{"\xe8", "密", "\xe8\xe8密码 ", "a\xff"} {
		for n := range maxNameBytes + 2 {
			name := strings.Repeat(c, n) + "token"
			HintOf(name)
			ScanText([]byte(name+": abc"), nil)
		}
	}
	if h := HintOf(strings.Repeat("\xe8", 40) + "密码"); h != HintPassword {
		t.Errorf("a damaged name promises %v", h)
	}
}
